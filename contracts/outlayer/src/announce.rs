//! The lines that the contract logs: each an event, each short enough.
//!
//! `execution_requested` and `execution_completed` are defined in [`protocol::event`], because other processes read them; the
//! rest say what an owner or a refund changed, for people and explorers.

use protocol::event::{
    Envelope, Event, ExecutionCompleted, ExecutionRequested, PREFIX, RequestNotice,
};
use protocol::project::{ProjectId, ProjectUuid};
use protocol::secrets::{Accessor, Profile};
use protocol::{AccountId, NearToken, RequestId};
use serde::Serialize;

use crate::ask::escaped_len;
use crate::pending::Pending;
use crate::settings::Settings;

/// The longest line that announces a request; its input stays in state if the line would be longer.
///
/// Unit: bytes, escaping included. Source: the protocol's parameter `max_total_log_length`, 16,384, less a margin for a lower
/// one to come.
const MAX_LINE_BYTES: usize = 15_360;

/// What changed beside requests.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub(crate) enum Change<'a> {
    /// The owner changed a setting; all of them as they now stand.
    SettingsChanged([&'a Settings; 1]),
    /// The owner took fees.
    FeesWithdrawn([Paid<'a>; 1]),
    /// Fees came back because the receiver is gone.
    FeesReturned([Paid<'a>; 1]),
    /// A refund came back because the receiver is gone; it waits to be claimed.
    RefundUnclaimed([Paid<'a>; 1]),
    /// An unclaimed refund went out.
    RefundClaimed([Paid<'a>; 1]),
    /// The operator stored a large output.
    OutputSubmitted([Submitted; 1]),
    /// An owner stored or replaced a profile.
    SecretsStored([Profiled<'a>; 1]),
    /// An owner changed for whom a profile is opened.
    SecretsAccessUpdated([Profiled<'a>; 1]),
    /// An owner deleted a profile.
    SecretsDeleted([Profiled<'a>; 1]),
    /// A project is there.
    ProjectCreated([Projected<'a>; 1]),
    /// It has one more version.
    VersionAdded([Projected<'a>; 1]),
    /// Another of its versions runs when none is named.
    VersionActivated([Projected<'a>; 1]),
    /// It has one version less.
    VersionRemoved([Projected<'a>; 1]),
    /// It has another owner, and so another name.
    ProjectTransferred([Projected<'a>; 1]),
    /// What others keep by it may go. Source: interface page, 2.4.
    SystemEvent([SystemEvent<'a>; 1]),
}

/// What happened to a profile.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Profiled<'a> {
    /// Whose it is.
    pub(crate) owner: &'a AccountId,
    /// The code that may have it, a project by its uuid.
    pub(crate) accessor: &'a Accessor,
    /// Its name.
    pub(crate) profile: &'a Profile,
    /// What is held for its bytes, or was.
    pub(crate) storage_deposit: NearToken,
}

/// What happened to a project.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Projected<'a> {
    /// Its unchanging name.
    pub(crate) project_uuid: ProjectUuid,
    /// What it is called now.
    pub(crate) project_id: &'a ProjectId,
    /// The version that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version_key: Option<&'a str>,
    /// What it was called before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<&'a ProjectId>,
}

/// What the platform's own processes act on.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) enum SystemEvent<'a> {
    /// A project is deleted.
    ProjectStorageCleanup {
        /// What it was called.
        project_id: &'a ProjectId,
        /// Its unchanging name.
        project_uuid: ProjectUuid,
        /// Nanoseconds since the Unix epoch.
        timestamp: u64,
    },
}

/// Money that went somewhere, or did not.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Paid<'a> {
    /// Where to.
    pub(crate) account_id: &'a AccountId,
    /// How much.
    pub(crate) amount: NearToken,
}

/// A stored large output.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Submitted {
    /// The request that it answers.
    pub(crate) request_id: RequestId,
    /// Its size as it is stored.
    pub(crate) bytes: u64,
}

#[derive(Serialize)]
struct Frame<'a> {
    standard: &'a str,
    version: &'a str,
    #[serde(flatten)]
    change: &'a Change<'a>,
}

/// The line that announces `pending`, with its input if there is room.
pub(crate) fn requested(settings: &Settings, pending: &Pending, input: &str) -> String {
    let mut notice = notice(pending);
    if escaped_len(input) < MAX_LINE_BYTES {
        input.clone_into(&mut notice.input_data);
        notice.input_data_in_state = false;
        let line = requested_line(settings, pending, &notice);
        if line.len() <= MAX_LINE_BYTES {
            return line;
        }
        notice.input_data.clear();
        notice.input_data_in_state = true;
    }
    requested_line(settings, pending, &notice)
}

fn requested_line(settings: &Settings, pending: &Pending, notice: &RequestNotice) -> String {
    let event = ExecutionRequested {
        request_data: serde_json::to_string(notice).unwrap_or_default(),
        data_id: pending.data_id,
        timestamp: pending.timestamp,
    };
    line(settings, Event::ExecutionRequested([event]))
}

fn notice(pending: &Pending) -> RequestNotice {
    RequestNotice {
        request_id: pending.request_id,
        sender_id: pending.signer_id.clone(),
        predecessor_id: pending.sender_id.clone(),
        code_source: pending.code.clone(),
        resource_limits: pending.limits,
        input_data: String::new(),
        input_data_in_state: true,
        secrets_ref: pending.secrets_ref.clone(),
        response_format: pending.response_format,
        payment: pending.payment,
        attached_usd: pending.params.attached_usd.unwrap_or_default().to_string(),
        timestamp: pending.timestamp,
        compile_only: pending.params.compile_only,
        force_rebuild: pending.params.force_rebuild,
        store_on_fastfs: pending.params.store_on_fastfs,
        use_bound_identity: pending.params.use_bound_identity,
        project_uuid: pending.params.project_uuid.clone(),
        project_id: pending.project.as_ref().map(|it| it.project_id.to_string()),
    }
}

/// The line that says how a request ended.
pub(crate) fn completed(settings: &Settings, event: ExecutionCompleted) -> String {
    line(settings, Event::ExecutionCompleted([event]))
}

/// The line that says what else changed.
pub(crate) fn changed(settings: &Settings, change: &Change<'_>) -> String {
    let frame = Frame {
        standard: &settings.event_standard,
        version: &settings.event_version,
        change,
    };
    format!(
        "{PREFIX}{}",
        serde_json::to_string(&frame).unwrap_or_default()
    )
}

/// An event has only text for keys, so writing it cannot fail.
fn line(settings: &Settings, event: Event) -> String {
    let envelope = Envelope {
        standard: settings.event_standard.clone(),
        version: settings.event_version.clone(),
        event,
    };
    envelope.to_log().unwrap_or_default()
}

#[cfg(test)]
mod tests;
