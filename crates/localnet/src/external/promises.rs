//! The host functions themselves: each is the VM's word for something [`Host`] does.

use super::{Host, NewReceipt, Read, Result, Share, length};
use near_crypto::PublicKey;
use near_primitives::account::{
    AccessKey, AccessKeyPermission, FunctionCallPermission, GasKeyInfo,
};
use near_primitives::action::{
    Action, CreateAccountAction, DeleteAccountAction, DeleteKeyAction, DeployContractAction,
    DeployGlobalContractAction, DeterministicStateInitAction, FunctionCallAction,
    GlobalContractDeployMode, StakeAction, TransferAction, TransferToGasKeyAction,
    UniversalStateInitAction, UseGlobalContractAction,
};
use near_primitives::deterministic_account_id::{
    DeterministicAccountStateInit, DeterministicAccountStateInitV1,
};
use near_primitives::hash::{CryptoHash, YieldId};
use near_primitives::trie_key::TrieKey;
use near_primitives::types::{AccountId, Balance, Gas, GasWeight, Nonce, NonceIndex};
use near_primitives_core::universal_state_init::{
    DecodeMode, RawStateInit, StateInitError, UniversalStateInitCounts,
};
use near_vm_runner::logic::types::{
    ActionIndex, GlobalContractDeployMode as VmDeployMode,
    GlobalContractIdentifier as VmIdentifier, ReceiptIndex,
};
use near_vm_runner::logic::{External, HostError, StorageAccessTracker, VMLogicError, ValuePtr};
use std::collections::BTreeMap;

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| VMLogicError::from(HostError::InvalidMethodName))
}

fn permission(
    allowance: Option<Balance>,
    receiver_id: AccountId,
    method_names: Vec<Vec<u8>>,
) -> Result<FunctionCallPermission> {
    let method_names = method_names.into_iter().map(text).collect::<Result<_>>()?;
    Ok(FunctionCallPermission {
        allowance,
        receiver_id: receiver_id.into(),
        method_names,
    })
}

impl External for Host {
    fn storage_set(
        &mut self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let key = self.key(key);
        let (old, touched) = self.evict(&key);
        if let Some(old) = &old {
            tracker.deref_write_evicted_value_bytes(length(old))?;
        }
        tracker.trie_node_touched(touched)?;
        self.state.write(key, value.into());
        Ok(old.map(|old| old.to_vec()))
    }

    fn storage_get<'a>(
        &'a self,
        _: &mut dyn StorageAccessTracker,
        key: &[u8],
    ) -> Result<Option<Box<dyn ValuePtr + 'a>>> {
        let value = self.state.trie().get(&self.key(key)).cloned();
        Ok(match value {
            Some(value) => Some(Box::new(Read(value))),
            None => None,
        })
    }

    fn storage_remove(
        &mut self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let key = self.key(key);
        let (old, touched) = self.evict(&key);
        if let Some(old) = &old {
            tracker.deref_removed_value_bytes(length(old))?;
        }
        tracker.trie_node_touched(touched)?;
        self.state.erase(key);
        Ok(old.map(|old| old.to_vec()))
    }

    fn storage_has_key(&mut self, _: &mut dyn StorageAccessTracker, key: &[u8]) -> Result<bool> {
        Ok(self.state.trie().get(&self.key(key)).is_some())
    }

    fn generate_data_id(&mut self) -> CryptoHash {
        self.next_data_id()
    }

    fn get_recorded_storage_size(&self) -> usize {
        0 // nobody here is sent a proof of what was read
    }

    fn storage_proof_size_before_receipt(&self) -> usize {
        0
    }

    fn validator_stake(&self, account_id: &AccountId) -> Result<Option<Balance>> {
        let locked = self
            .state
            .account(account_id)
            .map(|account| account.locked());
        Ok(locked.filter(|locked| !locked.is_zero()))
    }

    fn validator_total_stake(&self) -> Result<Balance> {
        Ok(self.total_stake)
    }

    fn chain_id(&self) -> String {
        self.chain_id.clone()
    }

    fn create_action_receipt(
        &mut self,
        after: Vec<ReceiptIndex>,
        receiver_id: AccountId,
    ) -> Result<ReceiptIndex> {
        let mut receipt = NewReceipt::to(receiver_id.clone());
        for index in after {
            let data_id = self.next_data_id();
            self.receipt(index)?.sends_to(data_id, receiver_id.clone());
            receipt.input_data_ids.push(data_id);
        }
        Ok(self.new_receipt(receipt))
    }

    fn create_promise_yield_receipt(
        &mut self,
        receiver_id: AccountId,
    ) -> Result<(ReceiptIndex, CryptoHash)> {
        Ok(self.new_yield(receiver_id))
    }

    fn create_promise_yield_receipt_with_id(
        &mut self,
        receiver_id: AccountId,
        yield_id: YieldId,
    ) -> Result<Option<(ReceiptIndex, CryptoHash)>> {
        Ok(self.new_named_yield(receiver_id, yield_id))
    }

    fn submit_promise_resume_data(&mut self, data_id: CryptoHash, data: Vec<u8>) -> Result<bool> {
        Ok(self.resume(data_id, data))
    }

    fn submit_promise_resume_data_with_yield_id(
        &mut self,
        yield_id: YieldId,
        data: Vec<u8>,
    ) -> Result<bool> {
        let key = TrieKey::YieldIdToDataId {
            receiver_id: self.account_id.clone(),
            yield_id,
        };
        Ok(self
            .state
            .get::<CryptoHash>(&key)
            .is_some_and(|data_id| self.resume(data_id, data)))
    }

    fn append_action_create_account(&mut self, index: ReceiptIndex) {
        self.push(index, Action::CreateAccount(CreateAccountAction {}));
    }

    fn append_action_deploy_contract(&mut self, index: ReceiptIndex, code: Vec<u8>) {
        self.push(index, Action::DeployContract(DeployContractAction { code }));
    }

    fn append_action_deploy_global_contract(
        &mut self,
        index: ReceiptIndex,
        code: Vec<u8>,
        mode: VmDeployMode,
    ) {
        let deploy_mode = match mode {
            VmDeployMode::CodeHash => GlobalContractDeployMode::CodeHash,
            VmDeployMode::AccountId => GlobalContractDeployMode::AccountId,
        };
        let action = DeployGlobalContractAction {
            code: code.into(),
            deploy_mode,
        };
        self.push(index, Action::DeployGlobalContract(action));
    }

    fn append_action_use_global_contract(&mut self, index: ReceiptIndex, id: VmIdentifier) {
        let action = UseGlobalContractAction {
            contract_identifier: id.into(),
        };
        self.push(index, Action::UseGlobalContract(Box::new(action)));
    }

    fn append_action_deterministic_state_init(
        &mut self,
        index: ReceiptIndex,
        id: VmIdentifier,
        deposit: Balance,
    ) -> ActionIndex {
        let v1 = DeterministicAccountStateInitV1 {
            code: id.into(),
            data: BTreeMap::default(),
        };
        let state_init = DeterministicAccountStateInit::V1(v1);
        let action = DeterministicStateInitAction {
            state_init,
            deposit,
        };
        let at = self.push(index, Action::DeterministicStateInit(Box::new(action)));
        u64::try_from(at).unwrap_or(u64::MAX)
    }

    fn set_deterministic_state_init_data_entry(
        &mut self,
        receipt_index: ReceiptIndex,
        action_index: ActionIndex,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<()> {
        let at = usize::try_from(action_index).unwrap_or(usize::MAX);
        match self.receipt(receipt_index)?.actions.get_mut(at) {
            Some(Action::DeterministicStateInit(a)) => {
                match a.state_init.data_mut().insert(key, value) {
                    Some(_) => Err(HostError::DataEntryAlreadyExists.into()),
                    None => Ok(()),
                }
            }
            _ => Err(HostError::InvalidActionIndex {
                receipt_index,
                action_index,
            }
            .into()),
        }
    }

    fn check_state_init(&self, _: &RawStateInit) -> std::result::Result<(), StateInitError> {
        Err(StateInitError::Malformed) // there are no universal accounts here
    }

    fn state_init_send_counts(
        &self,
        state_init: &RawStateInit,
        _: DecodeMode,
    ) -> UniversalStateInitCounts {
        UniversalStateInitCounts {
            num_bytes: length(&state_init.0),
            num_entries: 0,
            num_keys: 0,
        }
    }

    fn append_action_universal_state_init(
        &mut self,
        index: ReceiptIndex,
        state_init: RawStateInit,
        deposit: Balance,
    ) {
        let action = UniversalStateInitAction {
            state_init,
            deposit,
        };
        self.push(index, Action::UniversalStateInit(Box::new(action)));
    }

    fn append_action_function_call_weight(
        &mut self,
        index: ReceiptIndex,
        method_name: Vec<u8>,
        args: Vec<u8>,
        deposit: Balance,
        gas: Gas,
        weight: GasWeight,
    ) -> Result<()> {
        let call = FunctionCallAction {
            method_name: text(method_name)?,
            args,
            gas,
            deposit,
        };
        let action = self.push(index, Action::FunctionCall(Box::new(call)));
        if weight.0 > 0 {
            let receipt = usize::try_from(index).unwrap_or(usize::MAX);
            self.weights.push(Share {
                receipt,
                action,
                weight,
            });
        }
        Ok(())
    }

    fn append_action_transfer(&mut self, index: ReceiptIndex, deposit: Balance) {
        self.push(index, Action::Transfer(TransferAction { deposit }));
    }

    fn append_action_transfer_to_gas_key(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        deposit: Balance,
    ) {
        let action = TransferToGasKeyAction {
            public_key,
            deposit,
        };
        self.push(index, Action::TransferToGasKey(Box::new(action)));
    }

    fn append_action_add_gas_key_with_full_access(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        num_nonces: NonceIndex,
    ) {
        self.push_key(
            index,
            public_key,
            AccessKey::gas_key_full_access(num_nonces),
        );
    }

    fn append_action_add_gas_key_with_function_call(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        num_nonces: NonceIndex,
        allowance: Option<Balance>,
        receiver_id: AccountId,
        method_names: Vec<Vec<u8>>,
    ) -> Result<()> {
        let gas_key = GasKeyInfo {
            balance: Balance::ZERO,
            num_nonces,
        };
        let call = permission(allowance, receiver_id, method_names)?;
        let permission = AccessKeyPermission::GasKeyFunctionCall(gas_key, call);
        self.push_key(
            index,
            public_key,
            AccessKey {
                nonce: 0,
                permission,
            },
        );
        Ok(())
    }

    fn append_action_stake(&mut self, index: ReceiptIndex, stake: Balance, public_key: PublicKey) {
        self.push(
            index,
            Action::Stake(Box::new(StakeAction { stake, public_key })),
        );
    }

    fn append_action_add_key_with_full_access(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        nonce: Nonce,
    ) {
        self.push_key(
            index,
            public_key,
            AccessKey {
                nonce,
                permission: AccessKeyPermission::FullAccess,
            },
        );
    }

    fn append_action_add_key_with_function_call(
        &mut self,
        index: ReceiptIndex,
        public_key: PublicKey,
        nonce: Nonce,
        allowance: Option<Balance>,
        receiver_id: AccountId,
        method_names: Vec<Vec<u8>>,
    ) -> Result<()> {
        let permission =
            AccessKeyPermission::FunctionCall(permission(allowance, receiver_id, method_names)?);
        self.push_key(index, public_key, AccessKey { nonce, permission });
        Ok(())
    }

    fn append_action_delete_key(&mut self, index: ReceiptIndex, public_key: PublicKey) {
        self.push(
            index,
            Action::DeleteKey(Box::new(DeleteKeyAction { public_key })),
        );
    }

    fn append_action_delete_account(&mut self, index: ReceiptIndex, beneficiary_id: AccountId) {
        self.push(
            index,
            Action::DeleteAccount(DeleteAccountAction { beneficiary_id }),
        );
    }

    fn get_receipt_receiver(&self, index: ReceiptIndex) -> &AccountId {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        self.receipts
            .get(at)
            .map_or(&self.account_id, |receipt| &receipt.receiver_id)
    }

    fn set_refund_to(&mut self, index: ReceiptIndex, refund_to: AccountId) {
        if let Ok(receipt) = self.receipt(index) {
            receipt.refund_to = Some(refund_to);
        }
    }

    fn post_quantum_keys_enabled(&self) -> bool {
        true
    }
}
