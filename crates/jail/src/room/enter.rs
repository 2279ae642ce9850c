//! Going into the room: its layers in their order, but for the two that only the program is under.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use super::{Openings, Room, tree::Tree};
use crate::{
    enter::{MissingLayers, no_new_privileges},
    layer::{Layer, Missing, Report},
    layers::{capabilities, descriptors, identity, namespaces},
    limits, socket, sys, watch,
};

/// As root, namespaces are made by root and the process then becomes nobody, in a user namespace that none of them belongs to. An
/// ordinary user makes them in a user namespace of its own, and loses what it may do there when it drops its capabilities.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Root,
    User,
}

/// Goes on as process 1 of the room; the process that waits outside does not return.
pub(super) fn enter(room: &Room, openings: &Openings) -> Result<Report, Missing> {
    let mut report = Report::default();
    report.put_up(Layer::Descriptors, || close_others(openings));
    let who = if sys::plain(libc::SYS_geteuid, []).is_ok_and(|id| id == 0) {
        Who::Root
    } else {
        Who::User
    };
    let host = watch::host();
    if who == Who::User {
        report.put_up(Layer::UserNamespace, namespaces::user);
    }
    for (layer, flag) in [
        (Layer::MountNamespace, libc::CLONE_NEWNS),
        (Layer::IpcNamespace, libc::CLONE_NEWIPC),
        (Layer::UtsNamespace, libc::CLONE_NEWUTS),
        (Layer::NetworkNamespace, libc::CLONE_NEWNET),
    ] {
        report.put_up(layer, || namespaces::unshare(flag));
    }
    let lifeline = become_first(&mut report, host);
    furnish(&mut report, room, who);
    report.put_up(Layer::Limits, || {
        limits::set_in_room(room.processes, room.process_memory_bytes)
    });
    report.put_up(Layer::Capabilities, capabilities::drop_all);
    report.put_up(Layer::NoNewPrivileges, no_new_privileges);
    report.put_up(Layer::DiesWithHost, || {
        // The kernel forgets this when credentials change upwards; from here on they only shrink.
        watch::die_with_parent()?;
        lifeline.map_or(Ok(()), |lifeline| watch::check_lifeline(lifeline.as_fd()))
    });
    report.put_up(Layer::Undumpable, || {
        sys::prctl(libc::PR_SET_DUMPABLE, 0).map(drop)
    });
    if report.missing.is_empty() || room.missing_layers == MissingLayers::Allowed {
        Ok(report)
    } else {
        Err(Missing(report.missing))
    }
}

/// The root, the machine's name and, for root, who one is.
fn furnish(report: &mut Report, room: &Room, who: Who) {
    let own = namespaces::own_folder();
    // When memory runs out, builds go first. A machine that will not have it loses no layer.
    std::fs::write("/proc/self/oom_score_adj", "1000").ok();
    let has = |report: &Report, layer| report.missing.iter().all(|lack| lack.layer != layer);
    let (own_mounts, own_processes) = (
        has(report, Layer::MountNamespace),
        has(report, Layer::PidNamespace),
    );
    report.put_up(Layer::PrivateRoot, || {
        if own_mounts {
            Tree::gather(room, own_processes)?.become_root()
        } else {
            Err(io::Error::other("there is no mount namespace"))
        }
    });
    let own_name = has(report, Layer::UtsNamespace);
    report.put_up(Layer::Hostname, || {
        if own_name {
            namespaces::neutral_name()
        } else {
            Err(io::Error::other("there is no uts namespace"))
        }
    });
    if who == Who::Root {
        report.put_up(Layer::Identity, identity::become_nobody);
        report.put_up(Layer::UserNamespace, || namespaces::user_through(&own?));
    }
}

/// The three standard ones stay too: nothing is at their other ends but who reads what the program prints.
fn close_others(openings: &Openings) -> io::Result<()> {
    let mut keep = vec![openings.account.file().as_fd()];
    keep.extend(openings.out.as_ref().map(|out| out.as_fd()));
    let mut numbers = descriptors::numbers_of(&keep);
    numbers.extend(0..3);
    descriptors::close_all_but(numbers)
}

/// Forks into a pid namespace: the child returns as its process 1, the parent watches and never returns.
fn become_first(report: &mut Report, host: io::Result<OwnedFd>) -> Option<OwnedFd> {
    let mut known = None;
    let mut lifeline = None;
    report.put_up(Layer::DiesWithHost, || host.map(|host| known = Some(host)));
    report.put_up(Layer::PidNamespace, || {
        let (ours, theirs) = socket::pair(socket::Kind::Stream)?;
        namespaces::unshare(libc::CLONE_NEWPID)?;
        if let watch::Side::Outside(inner) = watch::fork()? {
            drop(theirs);
            // Who waits outside has no privilege left, so that only the same user may kill what is inside.
            identity::become_nobody().ok();
            watch::until_the_end(known.as_ref().map(|host| host.as_fd()), inner, ours.as_fd());
        }
        lifeline = Some(theirs);
        Ok(())
    });
    sys::set_name(c"room-first");
    lifeline
}
