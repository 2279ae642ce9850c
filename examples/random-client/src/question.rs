//! A question and what became of it.

use near_sdk::{AccountId, NearToken, near};

/// A question and what became of it.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asked, and gets the deposit back if the request is refused.
    pub asker: AccountId,
    /// What was forwarded with the request.
    pub deposit: NearToken,
    /// How often the answer came; more than once would be a bug of the platform.
    pub callbacks: u32,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

/// How a question ended.
#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// Without one: the execution failed or ran out of time.
    Failed,
    /// The request was refused.
    Refused,
}

impl Ask {
    pub(crate) fn new(asker: AccountId, deposit: NearToken) -> Self {
        Self {
            asker,
            deposit,
            callbacks: 0,
            ending: None,
        }
    }

    /// Notes that an answer came, and says what the asker gets back: the deposit of a request that was refused, once.
    pub(crate) fn close(&mut self, ending: Ending) -> NearToken {
        self.callbacks = self.callbacks.saturating_add(1);
        let first = self.ending.is_none();
        if first {
            self.ending = Some(ending);
        }
        match ending {
            Ending::Refused if first => self.deposit,
            _ => NearToken::ZERO,
        }
    }
}
