//! Meta-transactions: what one account signed, another sends and pays for.

use super::{Acting, Done};
use crate::fees;
use crate::runtime::Runtime;
use crate::verifier::{check_permission, nonce_bound};
use near_primitives::account::AccessKeyPermission;
use near_primitives::action::Action;
use near_primitives::action::delegate::VersionedDelegateActionRef;
use near_primitives::errors::{ActionErrorKind as E, InvalidAccessKeyError};
use near_primitives::hash::CryptoHash;
use near_primitives::receipt::{ActionReceiptV2, Receipt, ReceiptEnum, ReceiptV0};

impl Runtime {
    pub(super) fn delegate(&self, acting: &mut Acting<'_>, action: &Action) -> Done {
        acting.existing()?;
        let is_signed = match action {
            Action::Delegate(a) => a.verify(),
            Action::DelegateV2(a) => a.verify(),
            _ => false,
        };
        let Some(inner) = fees::delegated(action).filter(|_| is_signed) else {
            return Err(E::DelegateActionInvalidSignature);
        };
        if acting.scene.block.height > inner.max_block_height() {
            return Err(E::DelegateActionExpired);
        }
        if inner.sender_id() != acting.receipt.receiver_id() {
            let (sender_id, receiver_id) = (inner.sender_id().clone(), acting.id());
            return Err(E::DelegateActionSenderDoesNotMatchTxReceiver {
                sender_id,
                receiver_id,
            });
        }
        use_key(acting, inner)?;
        self.send_delegated(acting, inner);
        Ok(())
    }

    /// The relayer has paid for what is sent on, so it counts as used here and is burnt there.
    fn send_delegated(&self, acting: &mut Acting<'_>, inner: VersionedDelegateActionRef<'_>) {
        let actions = inner.get_actions();
        let gas = fees::receipt_gas(&self.config, &actions, inner.receiver_id());
        acting.effects.gas_used = acting.effects.gas_used.saturating_add(gas);
        acting
            .effects
            .charge(fees::delegated_send_fee(&self.config, inner));
        let parent = acting.action_receipt;
        let action = ActionReceiptV2 {
            signer_id: parent.signer_id().clone(),
            refund_to: None,
            signer_public_key: parent.signer_public_key().clone(),
            gas_price: parent.gas_price(),
            output_data_receivers: Vec::new(),
            input_data_ids: Vec::new(),
            actions,
        };
        acting.effects.receipts.push(Receipt::V0(ReceiptV0 {
            predecessor_id: inner.sender_id().clone(),
            receiver_id: inner.receiver_id().clone(),
            receipt_id: CryptoHash::default(),
            receipt: ReceiptEnum::ActionV2(action),
        }));
    }
}

/// Checks the key that signed and takes its nonce.
fn use_key(acting: &mut Acting<'_>, inner: VersionedDelegateActionRef<'_>) -> Done {
    let (sender, public_key) = (inner.sender_id(), inner.public_key());
    let Some(mut key) = acting.state.access_key(sender, public_key) else {
        let (account_id, public_key) = (sender.clone(), Box::new(public_key.clone()));
        let error = InvalidAccessKeyError::AccessKeyNotFound {
            account_id,
            public_key,
        };
        return Err(E::DelegateActionAccessKeyError(error));
    };
    if inner.nonce().nonce_index().is_some() {
        return Err(E::DelegateActionAccessKeyError(
            InvalidAccessKeyError::DelegateActionRequiresGasKey,
        ));
    }
    let (delegate_nonce, ak_nonce) = (inner.nonce().nonce(), key.nonce);
    if delegate_nonce <= ak_nonce {
        return Err(E::DelegateActionInvalidNonce {
            delegate_nonce,
            ak_nonce,
        });
    }
    let upper_bound = nonce_bound(acting.scene.block.height);
    if delegate_nonce >= upper_bound {
        return Err(E::DelegateActionNonceTooLarge {
            delegate_nonce,
            upper_bound,
        });
    }
    if let AccessKeyPermission::FunctionCall(permission) = &key.permission {
        check_permission(permission, inner.receiver_id(), &inner.get_actions())
            .map_err(E::DelegateActionAccessKeyError)?;
    }
    key.nonce = delegate_nonce;
    acting.state.set_access_key(sender, public_key, &key);
    Ok(())
}
