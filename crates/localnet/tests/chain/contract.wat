;; A contract by hand, so that the chain's tests need no compiler but this one. Every method is named for what it does.
(module
  (import "env" "input" (func $input (param i64)))
  (import "env" "register_len" (func $register_len (param i64) (result i64)))
  (import "env" "read_register" (func $read_register (param i64 i64)))
  (import "env" "value_return" (func $value_return (param i64 i64)))
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (import "env" "panic_utf8" (func $panic (param i64 i64)))
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "storage_read" (func $read (param i64 i64 i64) (result i64)))
  (import "env" "storage_remove" (func $remove (param i64 i64 i64) (result i64)))
  (import "env" "current_account_id" (func $self (param i64)))
  (import "env" "promise_create" (func $promise (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_then"
    (func $then (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_batch_create" (func $batch (param i64 i64) (result i64)))
  (import "env" "promise_batch_action_transfer" (func $transfer (param i64 i64)))
  (import "env" "promise_return" (func $return (param i64)))
  (import "env" "promise_result" (func $result (param i64 i64) (result i64)))
  (import "env" "promise_yield_create"
    (func $yield (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "promise_yield_resume" (func $resume (param i64 i64 i64 i64) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "noop")
  (data (i32.const 8) "done")
  (data (i32.const 16) "nobody came")
  (data (i32.const 32) "no")
  ;; 48: 1 NEAR, little endian; 64: nothing
  (data (i32.const 48) "\00\00\00\a1\ed\cc\ce\1b\c2\d3\00\00\00\00\00\00")
  ;; 256: scratch; 1024: input and registers; 65536: zeros

  (func $take (param $register i64) (result i64)
    (call $read_register (local.get $register) (i64.const 1024))
    (call $register_len (local.get $register)))
  (func $argument (result i64)
    (call $input (i64.const 0))
    (call $take (i64.const 0)))

  (func (export "noop"))
  (func (export "echo") (call $value_return (call $argument) (i64.const 1024)))
  (func (export "shout") (call $log (call $argument) (i64.const 1024)))
  (func (export "fail") (call $panic (i64.const 2) (i64.const 32)))
  (func (export "spin") (loop $again (br $again)))
  (func (export "trap") unreachable)

  ;; Adds one to a byte in storage.
  (func (export "bump")
    (if (i64.ne (call $read (i64.const 4) (i64.const 0) (i64.const 0)) (i64.const 0))
      (then (call $read_register (i64.const 0) (i64.const 256))))
    (i32.store8 (i32.const 256) (i32.add (i32.load8_u (i32.const 256)) (i32.const 1)))
    (drop (call $write (i64.const 4) (i64.const 0) (i64.const 1) (i64.const 256) (i64.const 0))))
  ;; Keeps 10,000 bytes under the key it is given.
  (func (export "fill")
    (drop (call $write (call $argument) (i64.const 1024) (i64.const 10000) (i64.const 65536) (i64.const 1))))
  (func (export "clear") (drop (call $remove (call $argument) (i64.const 1024) (i64.const 1))))

  ;; Sends 1 NEAR to the account it is given.
  (func (export "pay")
    (call $transfer (call $batch (call $argument) (i64.const 1024)) (i64.const 48)))
  ;; Makes one receipt of 101 actions.
  (func (export "crowd") (local $promise i64) (local $left i32)
    (call $self (i64.const 0))
    (local.set $promise (call $batch (call $take (i64.const 0)) (i64.const 1024)))
    (local.set $left (i32.const 101))
    (loop $again
      (call $transfer (local.get $promise) (i64.const 64))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left))))
  ;; Calls `noop` of the account it is given, then `done` of itself, whose result it returns.
  (func (export "ask") (local $other i64)
    (local.set $other
      (call $promise (call $argument) (i64.const 1024) (i64.const 4) (i64.const 0)
        (i64.const 0) (i64.const 0) (i64.const 64) (i64.const 5000000000000)))
    (call $self (i64.const 0))
    (call $return
      (call $then (local.get $other) (call $take (i64.const 0)) (i64.const 1024) (i64.const 4) (i64.const 8)
        (i64.const 0) (i64.const 0) (i64.const 64) (i64.const 5000000000000))))

  ;; Yields to `done`, and keeps under `done` what resumes it.
  (func $wait (result i64) (local $promise i64)
    (local.set $promise
      (call $yield (i64.const 4) (i64.const 8) (i64.const 0) (i64.const 0)
        (i64.const 5000000000000) (i64.const 0) (i64.const 2)))
    (call $read_register (i64.const 2) (i64.const 256))
    (drop (call $write (i64.const 4) (i64.const 8) (i64.const 32) (i64.const 256) (i64.const 3)))
    (local.get $promise))
  (func (export "wait") (call $return (call $wait)))
  ;; Resumes with its input, and returns whether that helped.
  (func (export "answer")
    (drop (call $read (i64.const 4) (i64.const 8) (i64.const 2)))
    (call $read_register (i64.const 2) (i64.const 256))
    (i32.store8 (i32.const 512)
      (call $resume (i64.const 32) (i64.const 256) (call $argument) (i64.const 1024)))
    (call $value_return (i64.const 1) (i64.const 512)))
  ;; Yields, resumes twice with nothing, and returns whether each helped.
  (func (export "wait_and_answer_twice")
    (drop (call $wait))
    (i32.store8 (i32.const 512) (call $resume (i64.const 32) (i64.const 256) (i64.const 0) (i64.const 0)))
    (i32.store8 (i32.const 513) (call $resume (i64.const 32) (i64.const 256) (i64.const 0) (i64.const 0)))
    (call $value_return (i64.const 2) (i64.const 512)))
  ;; Returns the result it waited for.
  (func (export "done")
    (if (i64.eq (call $result (i64.const 0) (i64.const 0)) (i64.const 1))
      (then (call $value_return (call $take (i64.const 0)) (i64.const 1024)))
      (else (call $value_return (i64.const 11) (i64.const 16))))))
