// What a page or a script does with near-api-js: accounts, contracts, calls, views, errors.
// Run by clients_js.rs with the node's address, the key of the account `test`, and a contract's file.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Account, JsonRpcProvider, KeyPair, KeyPairSigner, actions, nearToYocto } from "near-api-js";

const [url, secretKey, wasm] = process.argv.slice(2);
const provider = new JsonRpcProvider({ url });
const test = new Account("test", provider, KeyPairSigner.fromSecretKey(secretKey));

// the node and its blocks
assert.equal(await provider.getNetworkId(), "localnet");
const block = await provider.viewBlock({ finality: "final" });
assert.equal((await provider.viewChunk(block.chunks[0].chunk_hash)).header.shard_id, 0);
assert.equal((await provider.viewGasPrice()).gas_price, "100000000");
assert.equal((await provider.viewValidators()).current_validators[0].account_id, "test.near");

// an account, money
const pair = KeyPair.fromRandom("ed25519");
await test.createAccount({
  newAccountId: "bob.test",
  publicKey: pair.getPublicKey(),
  nearToTransfer: nearToYocto("20"),
});
const bob = new Account("bob.test", provider, KeyPairSigner.fromSecretKey(pair.toString()));
assert.equal((await bob.getState()).balance.total, nearToYocto("20"));
assert.equal((await bob.getAccessKeyList()).keys.length, 1);

// a contract: call, view, code, state
await bob.deployContract(await readFile(wasm));
const called = await test.callFunction({ contractId: "bob.test", methodName: "set", args: { a: 1 } });
assert.equal(called, "");
const viewed = await provider.callFunction({ contractId: "bob.test", method: "get", args: {} });
assert.deepEqual(viewed, { a: 1 });
assert.ok((await bob.getContractCode()).code_base64.length > 0);
assert.equal((await bob.getContractState()).values.length, 1);

// several transactions at once, and one followed by its hash
const sent = await Promise.all(
  [1, 2, 3].map(() =>
    test.signAndSendTransaction({ receiverId: "bob.test", actions: [actions.transfer(1n)], waitUntil: "FINAL", retries: 10 }),
  ),
);
assert.ok(sent.every((outcome) => outcome.final_execution_status === "FINAL"));
const status = await provider.viewTransactionStatus({ txHash: sent[0].transaction.hash, accountId: "test" });
assert.equal(status.transaction.hash, sent[0].transaction.hash);

// failures have types
await assert.rejects(provider.viewAccount({ accountId: "nobody.test" }), /nobody\.test/);
await assert.rejects(provider.callFunction({ contractId: "bob.test", method: "nope", args: {} }), /MethodNotFound/);
await assert.rejects(
  bob.signAndSendTransaction({ receiverId: "test", actions: [actions.transfer(nearToYocto("1000"))] }),
  /enough|balance/i,
);

console.log("near-api-js is content");
