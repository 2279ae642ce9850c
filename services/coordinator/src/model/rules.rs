//! The queue's rules, written down without SQL.

use std::collections::BTreeMap;

use protocol::FailureCode;
use protocol::job::Stage;

use crate::queue::Settings;

/// What is compared of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) request: u64,
    pub(super) stage: Stage,
    pub(super) attempts: u64,
    pub(super) fence: u64,
    pub(super) due_at: u64,
    pub(super) lease_expires_at: Option<u64>,
    pub(super) charged: bool,
}

#[derive(Debug)]
struct Job {
    row: Row,
    payment: u128,
    height: u64,
}

/// What a block holds that has not been read yet.
#[derive(Debug)]
enum Event {
    Requested(u64, u128),
    Completed(u64, Option<FailureCode>),
}

/// The model.
#[derive(Debug)]
pub(super) struct Model {
    settings: Settings,
    jobs: BTreeMap<u64, Job>,
    requests: u64,
    blocks: Vec<(u64, Vec<Event>)>,
    head: u64,
    read: u64,
}

impl Model {
    pub(super) fn new(settings: Settings, head: u64) -> Self {
        Self {
            settings,
            jobs: BTreeMap::new(),
            requests: 0,
            blocks: Vec::new(),
            head,
            read: 0,
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.jobs.values().map(|job| job.row.clone()).collect()
    }

    /// A block with `count` new requests.
    pub(super) fn announce(&mut self, count: u8, payment: u128) -> Vec<(u64, u128)> {
        let first = self.requests + 1;
        self.requests += u64::from(count);
        let new: Vec<_> = (first..=self.requests).map(|id| (id, payment)).collect();
        let event = |(id, payment): &(u64, u128)| Event::Requested(*id, *payment);
        self.block(new.iter().map(event).collect());
        new
    }

    pub(super) fn pick_request(&self, which: usize) -> Option<u64> {
        let which = u64::try_from(which).unwrap().checked_rem(self.requests)?;
        Some(which + 1)
    }

    /// A block that ends a request.
    pub(super) fn complete(&mut self, which: usize, how: Option<FailureCode>) -> Option<u64> {
        let ended = self.pick_request(which);
        let event = |id| Event::Completed(id, how);
        self.block(ended.into_iter().map(event).collect());
        ended
    }

    pub(super) fn empty_blocks(&mut self, count: u8) {
        for _ in 0..count {
            self.block(Vec::new());
        }
    }

    fn block(&mut self, events: Vec<Event>) {
        self.head += 1;
        self.blocks.push((self.head, events));
    }

    pub(super) fn ingest(&mut self, now: u64) {
        for (height, events) in std::mem::take(&mut self.blocks) {
            self.read = height;
            for event in events {
                match event {
                    Event::Requested(request, payment) => {
                        self.insert(request, payment, height, now);
                    }
                    Event::Completed(request, how) => self.end(request, how),
                }
            }
        }
    }

    fn insert(&mut self, request: u64, payment: u128, height: u64, now: u64) {
        let row = Row {
            request,
            stage: Stage::Queued,
            attempts: 0,
            fence: 0,
            due_at: now,
            lease_expires_at: None,
            charged: false,
        };
        self.jobs.entry(request).or_insert(Job {
            row,
            payment,
            height,
        });
    }

    fn end(&mut self, request: u64, how: Option<FailureCode>) {
        let row = &mut self.jobs.get_mut(&request).unwrap().row;
        let next = match how {
            Some(FailureCode::TimedOut) => Stage::Expired,
            _ => Stage::Resolved,
        };
        if row.stage.may_become(next) {
            row.stage = next;
            row.lease_expires_at = None;
        }
        row.charged = true;
    }

    pub(super) fn lease(&mut self, _: &str, now: u64) -> Option<(u64, u64, u32)> {
        self.reclaim(now);
        let alive = |job: &&mut Job| {
            job.row.stage == Stage::Queued
                && job.row.due_at <= now
                && self
                    .read
                    .checked_sub(self.settings.yield_timeout_blocks)
                    .is_none_or(|dead| job.height > dead)
        };
        let best = self
            .jobs
            .values_mut()
            .filter(alive)
            .min_by_key(|job| (std::cmp::Reverse(job.payment), job.row.request))?;
        best.row.stage = Stage::Leased;
        best.row.fence += 1;
        best.row.attempts += 1;
        best.row.lease_expires_at = Some(now + self.settings.lease_ms);
        let attempt = u32::try_from(best.row.attempts).unwrap();
        Some((best.row.request, best.row.fence, attempt))
    }

    fn reclaim(&mut self, now: u64) {
        for job in self.jobs.values_mut() {
            let row = &mut job.row;
            if row.stage != Stage::Leased || row.lease_expires_at.is_none_or(|at| at > now) {
                continue;
            }
            row.lease_expires_at = None;
            if row.attempts >= u64::from(self.settings.max_attempts) {
                row.stage = Stage::Dead;
            } else {
                row.stage = Stage::Queued;
                row.due_at = now;
            }
        }
    }

    fn held(&mut self, request: u64, fence: u64) -> Option<&mut Row> {
        let row = &mut self.jobs.get_mut(&request).unwrap().row;
        (row.stage == Stage::Leased && row.fence == fence).then_some(row)
    }

    pub(super) fn heartbeat(&mut self, request: u64, fence: u64, now: u64) -> bool {
        let until = now + self.settings.lease_ms;
        let held = self.held(request, fence);
        held.map(|row| row.lease_expires_at = Some(until)).is_some()
    }

    pub(super) fn release(&mut self, request: u64, fence: u64, now: u64) -> bool {
        let held = self.held(request, fence);
        held.map(|row| {
            row.stage = Stage::Queued;
            row.attempts -= 1;
            row.due_at = now;
            row.lease_expires_at = None;
        })
        .is_some()
    }

    pub(super) fn fail(&mut self, request: u64, fence: u64, now: u64) -> bool {
        let settings = self.settings;
        let held = self.held(request, fence);
        held.map(|row| {
            let attempts = u32::try_from(row.attempts).unwrap();
            row.lease_expires_at = None;
            if attempts >= settings.max_attempts {
                row.stage = Stage::Dead;
            } else {
                row.stage = Stage::Queued;
                row.due_at = now + settings.rest_ms(attempts);
            }
        })
        .is_some()
    }

    pub(super) fn finish(&mut self, request: u64, fence: u64, sent: bool, now: u64) -> bool {
        let until = now + self.settings.settle_ms;
        let row = &mut self.jobs.get_mut(&request).unwrap().row;
        if row.fence != fence {
            return false;
        }
        match (row.stage, sent) {
            (Stage::Resolved | Stage::Expired, _) => true,
            (Stage::Leased, false) => {
                row.lease_expires_at = Some(until);
                true
            }
            (_, false) => false,
            (_, true) => {
                row.stage = Stage::Resolved;
                row.lease_expires_at = None;
                true
            }
        }
    }
}
