//! Going in: every layer in its order, and an account of those that would not come.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::{
    filter::{Call, Filter},
    layer::{Layer, Missing, Report},
    layers::{capabilities, descriptors, identity, landlock, namespaces, root},
    limits::{self, Limits},
    socket, sys, watch,
};

/// What the jailed process keeps.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Descriptors that stay open.
    pub keep: &'a [BorrowedFd<'a>],
    /// System calls that do not kill it; lists are in [`calls`](crate::calls).
    pub calls: &'a [Call],
    pub limits: Limits,
    pub missing_layers: MissingLayers,
}

/// What to do on a machine that will not give every layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingLayers {
    Refused,
    /// Go on with what there is. For development only; the caller says aloud what is missing.
    Allowed,
}

/// Jails this process: the caller goes on as process 1 of a pid namespace, and a process that only waits stays outside and passes
/// the end on (the exit code, or 128 and the signal). To be called once, before there is a second thread.
///
/// # Errors
/// Names every layer that could not be had, unless the plan allows that. The process is jailed by the others all the same, and may
/// only say so and end.
pub fn enter(plan: &Plan<'_>) -> Result<Report, Missing> {
    let mut report = Report::default();
    report.put_up(Layer::Descriptors, || descriptors::close_others(plan.keep));
    report.put_up(Layer::Identity, identity::become_nobody);
    let host = watch::host();
    let inside = report.put_up(Layer::UserNamespace, namespaces::user);
    report.put_up(Layer::Limits, || limits::set(&plan.limits, inside));
    for (layer, flag) in [
        (Layer::MountNamespace, libc::CLONE_NEWNS),
        (Layer::IpcNamespace, libc::CLONE_NEWIPC),
        (Layer::UtsNamespace, libc::CLONE_NEWUTS),
        (Layer::NetworkNamespace, libc::CLONE_NEWNET),
    ] {
        report.put_up(layer, || namespaces::unshare(flag));
    }
    put_up_where(
        &mut report,
        Layer::MountNamespace,
        Layer::EmptyRoot,
        root::empty,
    );
    put_up_where(
        &mut report,
        Layer::UtsNamespace,
        Layer::Hostname,
        namespaces::neutral_name,
    );
    become_first(&mut report, host);
    sys::set_name(c"jailed");
    report.put_up(Layer::Capabilities, capabilities::drop_all);
    report.put_up(Layer::NoNewPrivileges, no_new_privileges);
    let mut landlock_abi = 0;
    report.put_up(Layer::Landlock, || {
        landlock::close_all(landlock::Signals::Closed).map(|abi| landlock_abi = abi)
    });
    report.landlock_abi = landlock_abi;
    report.put_up(Layer::Undumpable, || {
        sys::prctl(libc::PR_SET_DUMPABLE, 0).map(drop)
    });
    report.put_up(Layer::SystemCalls, || Filter::only(plan.calls).put_up());
    if report.missing.is_empty() || plan.missing_layers == MissingLayers::Allowed {
        Ok(report)
    } else {
        Err(Missing(report.missing))
    }
}

/// Puts a layer up only upon another one: without a mount namespace of its own the process would empty everybody's root.
fn put_up_where(
    report: &mut Report,
    below: Layer,
    layer: Layer,
    step: impl FnOnce() -> io::Result<()>,
) {
    let stands = report.missing.iter().all(|lack| lack.layer != below);
    report.put_up(layer, || {
        if stands {
            step()
        } else {
            Err(io::Error::other(format!("there is no {below}")))
        }
    });
}

/// Forks into a pid namespace: the child returns as its process 1, the parent watches and never returns.
fn become_first(report: &mut Report, host: io::Result<OwnedFd>) {
    let mut known = None;
    let mut lifeline = None;
    report.put_up(Layer::DiesWithHost, || host.map(|host| known = Some(host)));
    report.put_up(Layer::PidNamespace, || {
        let (ours, theirs) = socket::pair(socket::Kind::Stream)?;
        namespaces::unshare(libc::CLONE_NEWPID)?;
        if let watch::Side::Outside(inner) = watch::fork()? {
            drop(theirs);
            watch::until_the_end(known.as_ref().map(AsFd::as_fd), inner, ours.as_fd());
        }
        lifeline = Some(theirs);
        Ok(())
    });
    report.put_up(Layer::DiesWithHost, || {
        // The kernel forgets this when credentials change upwards; from here on they only shrink.
        watch::die_with_parent()?;
        lifeline.map_or(Ok(()), |lifeline| watch::check_lifeline(lifeline.as_fd()))
    });
}

pub(crate) fn no_new_privileges() -> io::Result<()> {
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map(drop)
}
