//! One function's body, with its counting put in.
//!
//! ```text
//! block $overflow                       ;; if it takes a frame
//!   block $out                          ;; if it looks at the gas anywhere
//!     (gas < 0) br_if $out              ;; if it is a checkpoint
//!     (stack - frame < 0) br_if $overflow
//!     block $exit                       ;; if branches leave the function
//!       the body
//!     end
//!     return
//!   end
//!   gas = -1, unreachable
//! end
//! stack = stack - frame, unreachable
//! ```
//!
//! What fails lies behind the body, so that compilers keep it out of the way of what goes well.

use wasm_encoder::reencode::Reencode as _;
use wasm_encoder::{BlockType, Function, Instruction as I, ValType};
use wasmparser::{FunctionBody, Operator as Op};

use crate::cost;
use crate::flow::Flow;
use crate::places::Pairs;
use crate::plan::{Plan, Register};
use crate::rewrite::{Context, Fallible};
use crate::survey::Shape;

/// A rewritten body.
pub(crate) struct Body {
    pub(crate) function: Function,
    pub(crate) pairs: Pairs,
}

impl Body {
    /// Rewrites the body of the function that has `index` in the original.
    pub(crate) fn rewrite(
        context: &Context<'_>,
        index: u32,
        shape: &Shape,
        body: &FunctionBody<'_>,
    ) -> Fallible<Self> {
        let (mut ops, mut offsets) = (Vec::new(), Vec::new());
        for op in body.get_operators_reader()?.into_iter_with_offsets() {
            let (op, offset) = op?;
            ops.push(op);
            offsets.push(offset);
        }
        let mut numbers = context.numbers;
        let mut locals = Vec::new();
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            locals.push((count, numbers.val_type(ty)?));
        }
        let flow = Flow::of(&ops)?;
        let plan = Plan::of(context.variant, &ops, &flow, context.survey, shape)?;
        let frame = shape.calls.then(|| Frame::of(context, index, shape));
        let looks = plan.checks_entry
            || ops
                .iter()
                .any(|op| cost::is_bulk(op) || matches!(op, Op::Loop { .. }));
        let mut extra = Extra::after(shape.params.saturating_add(shape.locals));
        let gas_local = match plan.register {
            Register::Local => extra.take(ValType::I64),
            Register::Global => 0,
        };
        let count_local = if ops.iter().any(cost::is_bulk) {
            extra.take(ValType::I32)
        } else {
            0
        };
        let stack_local = if frame.is_some() {
            extra.take(ValType::I32)
        } else {
            0
        };
        locals.extend(extra.types.into_iter().map(|ty| (1, ty)));
        let mut writer = Writer {
            context,
            plan,
            function: Function::new(locals),
            pairs: Pairs::default(),
            gas_local,
            count_local,
            stack_local,
            looks,
            has_exit: flow.leaves_by_branch,
            frame,
            depth: 0,
            open_ifs: Vec::new(),
        };
        writer.begin(index, shape)?;
        for (place, (op, offset)) in ops.iter().zip(offsets).enumerate() {
            writer.write(place, op, offset)?;
        }
        Ok(Self {
            function: writer.function,
            pairs: writer.pairs,
        })
    }
}

/// Locals behind the function's own.
struct Extra {
    next: u32,
    types: Vec<ValType>,
}

impl Extra {
    const fn after(next: u32) -> Self {
        Self {
            next,
            types: Vec::new(),
        }
    }

    fn take(&mut self, ty: ValType) -> u32 {
        let local = self.next;
        self.next = self.next.saturating_add(1);
        self.types.push(ty);
        local
    }
}

/// What a function takes of the stack while it calls others.
#[derive(Debug, Clone, Copy)]
struct Frame {
    slots: i32,
    /// Whether what is left is put back at the ways out. Callers write what they leave before each call, so only those that are
    /// entered from outside need to; a tail call can stand in for any of them.
    puts_back: bool,
}

impl Frame {
    fn of(context: &Context<'_>, index: u32, shape: &Shape) -> Self {
        let slots = [
            cost::FRAME_SLOTS,
            shape.params,
            shape.locals,
            shape.operands,
        ];
        let slots = slots.into_iter().fold(0, u32::saturating_add);
        Self {
            slots: i32::try_from(slots).unwrap_or(i32::MAX),
            puts_back: context.survey.tail_calls || context.survey.doors.contains(&index),
        }
    }
}

struct Writer<'a> {
    context: &'a Context<'a>,
    plan: Plan,
    function: Function,
    pairs: Pairs,
    gas_local: u32,
    /// Holds the count of a bulk operation.
    count_local: u32,
    /// Holds what the stack has left for those that this function calls.
    stack_local: u32,
    /// Whether the function looks at the gas anywhere.
    looks: bool,
    /// Whether branches leave the function, by a block around its body.
    has_exit: bool,
    frame: Option<Frame>,
    /// Open blocks of the original body.
    depth: u32,
    /// For each of them, whether it is an `if` that has had no `else`.
    open_ifs: Vec<bool>,
}

impl Writer<'_> {
    fn begin(&mut self, index: u32, shape: &Shape) -> Fallible<()> {
        if self.frame.is_some() {
            self.emit(&I::Block(BlockType::Empty));
        }
        if self.looks {
            self.emit(&I::Block(BlockType::Empty));
        }
        if self.plan.register == Register::Local {
            self.load();
        }
        if self.plan.checks_entry {
            self.check(0, 0);
        }
        if let Some(frame) = self.frame {
            let overflow = u32::from(self.looks);
            self.function
                .instruction(&I::GlobalGet(self.context.stack))
                .instruction(&I::I32Const(frame.slots))
                .instruction(&I::I32Sub)
                .instruction(&I::LocalTee(self.stack_local))
                .instruction(&I::I32Const(0))
                .instruction(&I::I32LtS)
                .instruction(&I::BrIf(overflow));
        }
        if let Some(hooks) = self.context.hooks {
            self.emit(&I::I32Const(index.cast_signed()));
            self.emit(&I::Call(hooks.enter));
        }
        if self.has_exit {
            let results = self.context.block_type(&shape.results)?;
            self.emit(&I::Block(results));
        }
        Ok(())
    }

    /// Writes one instruction of the original and what goes with it.
    fn write(&mut self, place: usize, op: &Op<'_>, offset: usize) -> Fallible<()> {
        let step = self.plan.step(place);
        self.charge(step.before);
        match op {
            Op::Block { .. } | Op::Loop { .. } | Op::If { .. } => {
                self.depth = self.depth.saturating_add(1);
                self.open_ifs.push(matches!(op, Op::If { .. }));
            }
            Op::Else => {
                if let Some(open_if) = self.open_ifs.last_mut() {
                    *open_if = false;
                }
            }
            Op::End => {
                self.end(step.aside, step.owed);
                return Ok(());
            }
            Op::BrIf { relative_depth } if step.aside != 0 => {
                self.emit(&I::If(BlockType::Empty));
                self.charge(step.aside);
                self.emit(&I::Br(relative_depth.saturating_add(1)));
                self.emit(&I::End);
                return Ok(());
            }
            op if cost::is_bulk(op) => self.charge_count(step.owed),
            op if cost::is_seen(op) => self.save(step.owed),
            _ => {}
        }
        self.leave_or_call(op);
        if cost::may_trap(op) {
            self.note(offset);
        }
        let same = self.context.numbers.clone().instruction(op.clone())?;
        self.emit(&same);
        if matches!(op, Op::Loop { .. }) {
            self.check(self.out_depth(), step.owed);
        }
        if cost::is_call(op) && self.plan.register == Register::Local {
            self.load();
        }
        Ok(())
    }

    /// What comes right before an instruction that goes elsewhere.
    fn leave_or_call(&mut self, op: &Op<'_>) {
        if cost::is_call(op) {
            // A function that calls nothing does not look at the stack.
            let looks = match op {
                Op::Call { function_index } => self
                    .context
                    .survey
                    .defined(*function_index)
                    .is_none_or(|callee| callee.calls),
                _ => true,
            };
            if looks {
                self.emit(&I::LocalGet(self.stack_local));
                self.emit(&I::GlobalSet(self.context.stack));
            }
        }
        if cost::is_tail_call(op) {
            self.leave(true);
        }
        if matches!(op, Op::Return) {
            self.leave(false);
        }
    }

    fn end(&mut self, aside: i64, owed: i64) {
        if let Some(open_if) = self.open_ifs.pop() {
            self.depth = self.depth.saturating_sub(1);
            if aside != 0 && open_if {
                self.emit(&I::Else);
                self.charge(aside);
            }
            self.emit(&I::End);
            return;
        }
        if self.has_exit {
            self.emit(&I::End);
            self.save(self.plan.owed_at_exit);
        } else {
            self.save(owed);
        }
        self.leave(false);
        if self.looks {
            self.emit(&I::Return);
            self.emit(&I::End);
            self.emit(&I::I64Const(-1));
            self.emit(&I::GlobalSet(self.context.gas));
            self.emit(&I::Unreachable);
        }
        if self.frame.is_some() {
            if !self.looks {
                self.emit(&I::Return);
            }
            self.emit(&I::End);
            self.emit(&I::LocalGet(self.stack_local));
            self.emit(&I::GlobalSet(self.context.stack));
            self.emit(&I::Unreachable);
        }
        self.emit(&I::End);
    }

    /// What every way out does; a tail call's callee must find the stack as this function did.
    fn leave(&mut self, by_tail_call: bool) {
        if let Some(frame) = self.frame
            && (frame.puts_back || by_tail_call)
        {
            self.function
                .instruction(&I::LocalGet(self.stack_local))
                .instruction(&I::I32Const(frame.slots))
                .instruction(&I::I32Add)
                .instruction(&I::GlobalSet(self.context.stack));
        }
        if let Some(hooks) = self.context.hooks {
            self.emit(&I::Call(hooks.leave));
        }
    }

    fn emit(&mut self, instruction: &I<'_>) {
        self.function.instruction(instruction);
    }

    /// Notes where the instruction that is written next was in the original.
    fn note(&mut self, offset: usize) {
        let rewritten = u32::try_from(self.function.byte_len()).unwrap_or(u32::MAX);
        let original = offset.saturating_sub(self.context.survey.code_start);
        self.pairs
            .push(rewritten, u32::try_from(original).unwrap_or(u32::MAX));
    }

    /// Puts the register's value on the stack.
    fn get(&mut self) {
        self.emit(&match self.plan.register {
            Register::Local => I::LocalGet(self.gas_local),
            Register::Global => I::GlobalGet(self.context.gas),
        });
    }

    /// Takes the register's value off the stack.
    fn set(&mut self) {
        self.emit(&match self.plan.register {
            Register::Local => I::LocalSet(self.gas_local),
            Register::Global => I::GlobalSet(self.context.gas),
        });
    }

    /// Subtracts from what is on the stack's top.
    fn subtract(&mut self, amount: i64) {
        if amount != 0 {
            self.emit(&I::I64Const(amount));
            self.emit(&I::I64Sub);
        }
    }

    fn charge(&mut self, amount: i64) {
        if amount != 0 {
            self.get();
            self.subtract(amount);
            self.set();
        }
    }

    fn load(&mut self) {
        self.emit(&I::GlobalGet(self.context.gas));
        self.emit(&I::LocalSet(self.gas_local));
    }

    /// Makes the global exact, while the register is above what is left by `owed`.
    fn save(&mut self, owed: i64) {
        if self.plan.register == Register::Local {
            self.emit(&I::LocalGet(self.gas_local));
            self.subtract(owed);
            self.emit(&I::GlobalSet(self.context.gas));
        }
    }

    /// Leaves by the way of those who have too little gas, `depth` blocks out.
    fn check(&mut self, depth: u32, owed: i64) {
        self.get();
        self.emit(&I::I64Const(owed));
        self.emit(&I::I64LtS);
        self.emit(&I::BrIf(depth));
    }

    /// Charges the count on the stack's top, which is unsigned, and leaves it there.
    fn charge_count(&mut self, owed: i64) {
        self.emit(&I::LocalTee(self.count_local));
        self.get();
        self.emit(&I::LocalGet(self.count_local));
        self.emit(&I::I64ExtendI32U);
        self.emit(&I::I64Sub);
        self.set();
        self.save(owed);
        self.check(self.out_depth(), owed);
    }

    /// The label of those who have too little gas, from within the body.
    fn out_depth(&self) -> u32 {
        self.depth.saturating_add(u32::from(self.has_exit))
    }
}
