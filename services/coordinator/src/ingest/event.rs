//! Our events among all that a block logged.

use clients::events::{Block, Receipt};
use protocol::RequestId;
use protocol::event::{self, Envelope, Event, ExecutionCompleted, RequestNotice};
use protocol::job::Origin;
use serde::Deserialize;

use super::Settings;

/// Events that are the queue's; a contract has others, of its settings and its money, which are not.
const OURS: [&str; 2] = ["execution_requested", "execution_completed"];

/// What an event means for the queue.
#[derive(Debug)]
pub(super) enum OwnEvent {
    /// A request waits for a worker.
    Requested {
        notice: Box<RequestNotice>,
        /// As the contract wrote it.
        notice_json: String,
        data_id: [u8; 32],
        origin: Origin,
    },
    /// A request has ended.
    Completed {
        request_id: RequestId,
        completed: Box<ExecutionCompleted>,
    },
    /// An event of ours that cannot be understood.
    Rejected {
        block_height: u64,
        receipt_id: String,
        line: String,
        reason: String,
    },
}

/// Just enough of an event to see whether it is ours.
#[derive(Deserialize)]
struct Frame {
    standard: String,
    event: String,
}

impl OwnEvent {
    /// Our events in `block`, in order.
    pub(super) fn all_of<'a>(
        block: &'a Block,
        settings: &'a Settings,
    ) -> impl Iterator<Item = Self> + 'a {
        let ours = |receipt: &&Receipt| receipt.executor_id == settings.contract_id;
        block.receipts.iter().filter(ours).flat_map(move |receipt| {
            receipt.logs.iter().filter_map(move |line| {
                let read = Self::read(line, block, receipt, settings)?;
                Some(read.unwrap_or_else(|reason| Self::Rejected {
                    block_height: block.height,
                    receipt_id: receipt.receipt_id.to_string(),
                    line: line.clone(),
                    reason,
                }))
            })
        })
    }

    /// `None` if the line is not an event of ours; an error if it is and makes no sense.
    fn read(
        line: &str,
        block: &Block,
        receipt: &Receipt,
        settings: &Settings,
    ) -> Option<Result<Self, String>> {
        let json = line.strip_prefix(event::PREFIX)?.trim_start();
        let frame = match serde_json::from_str::<Frame>(json) {
            Ok(frame) => frame,
            Err(err) => return Some(Err(format!("not an event's frame: {err}"))),
        };
        if frame.standard != settings.event_standard || !OURS.contains(&frame.event.as_str()) {
            return None;
        }
        let envelope = match serde_json::from_str::<Envelope>(json) {
            Ok(envelope) => envelope,
            Err(err) => return Some(Err(format!("not {}: {err}", frame.event))),
        };
        Some(match envelope.event {
            Event::ExecutionRequested([requested]) => requested
                .notice()
                .map_err(|err| format!("request_data: {err}"))
                .and_then(|notice| Self::requested(notice, requested, block, receipt)),
            Event::ExecutionCompleted([completed]) => match completed.request_id {
                Some(request_id) => Ok(Self::Completed {
                    request_id,
                    completed: Box::new(completed),
                }),
                None => Err("it does not say which request is completed".to_owned()),
            },
        })
    }

    fn requested(
        notice: RequestNotice,
        requested: event::ExecutionRequested,
        block: &Block,
        receipt: &Receipt,
    ) -> Result<Self, String> {
        if i64::try_from(notice.request_id.0).is_err() {
            return Err(format!("request {} is out of range", notice.request_id));
        }
        Ok(Self::Requested {
            notice: Box::new(notice),
            notice_json: requested.request_data,
            data_id: requested.data_id,
            origin: block.origin(receipt),
        })
    }
}
