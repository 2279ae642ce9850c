//! A receipt that a call is building.

use super::{Host, Result};
use near_crypto::PublicKey;
use near_primitives::account::AccessKey;
use near_primitives::action::{Action, AddKeyAction};
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::DataReceiver;
use near_primitives::types::{AccountId, Gas};
use near_vm_runner::logic::types::ReceiptIndex;
use near_vm_runner::logic::{HostError, VMLogicError};

/// A receipt before it has an id.
#[derive(Clone, Debug)]
pub(crate) struct NewReceipt {
    /// Who runs it.
    pub receiver_id: AccountId,
    /// Who gets the deposit back if it fails; the caller if nobody else was named.
    pub refund_to: Option<AccountId>,
    /// Who waits for its result.
    pub output_data_receivers: Vec<DataReceiver>,
    /// The results it waits for.
    pub input_data_ids: Vec<CryptoHash>,
    /// What it does.
    pub actions: Vec<Action>,
    /// Whether it waits for a resume.
    pub is_yield: bool,
}

impl NewReceipt {
    pub(super) const fn to(receiver_id: AccountId) -> Self {
        Self {
            receiver_id,
            refund_to: None,
            output_data_receivers: Vec::new(),
            input_data_ids: Vec::new(),
            actions: Vec::new(),
            is_yield: false,
        }
    }

    pub(super) fn gas_of(&mut self, action: usize) -> Option<&mut Gas> {
        match self.actions.get_mut(action)? {
            Action::FunctionCall(call) => Some(&mut call.gas),
            _ => None,
        }
    }

    pub(super) fn sends_to(&mut self, data_id: CryptoHash, receiver_id: AccountId) {
        self.output_data_receivers.push(DataReceiver {
            data_id,
            receiver_id,
        });
    }
}

impl Host {
    pub(super) fn new_receipt(&mut self, receipt: NewReceipt) -> ReceiptIndex {
        self.receipts.push(receipt);
        u64::try_from(self.receipts.len().saturating_sub(1)).unwrap_or(u64::MAX)
    }

    pub(super) fn receipt(&mut self, index: ReceiptIndex) -> Result<&mut NewReceipt> {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let missing = HostError::InvalidReceiptIndex {
            receipt_index: index,
        };
        self.receipts
            .get_mut(at)
            .ok_or_else(|| VMLogicError::from(missing))
    }

    /// Adds an action to a receipt, whose index the VM has checked, and says which of its actions it is.
    pub(super) fn push(&mut self, index: ReceiptIndex, action: Action) -> usize {
        let Ok(receipt) = self.receipt(index) else {
            return 0;
        };
        receipt.actions.push(action);
        receipt.actions.len().saturating_sub(1)
    }

    pub(super) fn push_key(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        access_key: AccessKey,
    ) {
        self.push(
            index,
            Action::AddKey(Box::new(AddKeyAction {
                public_key,
                access_key,
            })),
        );
    }
}
