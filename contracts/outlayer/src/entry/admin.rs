//! The owner sets.

use near_sdk::{env, near};
use protocol::AccountId;
use protocol::limits::Caps;

use super::{Outlayer, OutlayerExt};
use crate::announce::Change;
use crate::refusal::Refusal;
use crate::resolution;
use crate::settings::{Repricing, Settings};

#[near]
impl Outlayer {
    /// Hands the contract over.
    #[handle_result]
    pub fn set_owner(&mut self, owner_id: AccountId) -> Result<(), Refusal> {
        self.set(|settings| {
            settings.owner_id = owner_id;
            Ok(())
        })
    }

    /// Names who answers requests.
    #[handle_result]
    pub fn set_operator(&mut self, operator_id: AccountId) -> Result<(), Refusal> {
        self.set(|settings| {
            settings.operator_id = operator_id;
            Ok(())
        })
    }

    /// Stops or starts taking requests; those that are pending go on.
    #[handle_result]
    pub fn set_paused(&mut self, paused: bool) -> Result<(), Refusal> {
        self.set(|settings| {
            settings.paused = paused;
            Ok(())
        })
    }

    /// Changes rates; an absent one stays, and so do those of pending requests. The arguments are those that
    /// `get_pricing_full` shows.
    #[handle_result]
    pub fn set_pricing(&mut self) -> Result<(), Refusal> {
        let new: Repricing = resolution::read(&env::input().unwrap_or_default())?;
        self.set(|settings| {
            settings.reprice(&new);
            Ok(())
        })
    }

    /// Changes the most that a request may ask for; an absent cap stays.
    #[handle_result]
    pub fn set_max_limits(
        &mut self,
        max_instructions: Option<u64>,
        max_memory_mb: Option<u32>,
        max_execution_seconds: Option<u64>,
        max_compile_seconds: Option<u64>,
    ) -> Result<(), Refusal> {
        let now = self.settings.caps;
        let caps = Caps {
            max_instructions: max_instructions.unwrap_or(now.max_instructions),
            max_memory_mb: max_memory_mb.unwrap_or(now.max_memory_mb),
            max_execution_seconds: max_execution_seconds.unwrap_or(now.max_execution_seconds),
            max_compile_seconds: max_compile_seconds.unwrap_or(now.max_compile_seconds),
        };
        self.set(|settings| settings.cap(caps))
    }

    /// Changes the standard and version that every event bears; an absent one stays.
    #[handle_result]
    pub fn set_event_metadata(
        &mut self,
        event_standard: Option<String>,
        event_version: Option<String>,
    ) -> Result<(), Refusal> {
        self.set(|settings| settings.name_events(event_standard, event_version))
    }
}

impl Outlayer {
    /// Changes the settings for the owner.
    fn set(
        &mut self,
        change: impl FnOnce(&mut Settings) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.settings
            .require_owner(&env::predecessor_account_id())?;
        change(&mut self.settings)?;
        self.log_change(&Change::SettingsChanged([&self.settings]));
        Ok(())
    }
}
