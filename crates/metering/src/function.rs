//! One function's body, with its counting put in.

use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, Instruction as I, ValType};
use wasmparser::{FunctionBody, Operator as Op};

use crate::cost;
use crate::rewrite::Fallible;
use crate::survey::{Shape, Survey};
use crate::unspent::Pairs;

/// Slots that a frame takes besides its parameters, locals and operands: what the call itself keeps.
const FRAME_SLOTS: u32 = 4;

/// Entering a function costs this much.
const ENTRY_COST: u32 = 1;

/// The globals that count, and the types that bodies of several results need.
#[derive(Debug)]
pub(crate) struct Counters {
    /// The global that holds the gas left.
    pub(crate) gas: u32,
    /// The global that holds the stack slots left.
    pub(crate) stack: u32,
    first_type: u32,
    results: Vec<Vec<wasmparser::ValType>>,
}

impl Counters {
    pub(crate) fn new(survey: &Survey) -> Self {
        let mut results: Vec<_> = survey
            .functions
            .iter()
            .map(|function| function.results.clone())
            .filter(|results| results.len() > 1)
            .collect();
        results.sort();
        results.dedup();
        Self {
            gas: survey.globals,
            stack: survey.globals.saturating_add(1),
            first_type: survey.types,
            results,
        }
    }

    /// The results of the types to be added behind the module's own, none with parameters.
    pub(crate) fn result_types(&self) -> &[Vec<wasmparser::ValType>] {
        &self.results
    }

    /// The type of a block that returns `results`.
    fn block_type(&self, results: &[wasmparser::ValType]) -> Fallible<BlockType> {
        Ok(match results {
            [] => BlockType::Empty,
            [one] => BlockType::Result(RoundtripReencoder.val_type(*one)?),
            several => {
                let place = self
                    .results
                    .partition_point(|known| known.as_slice() < several);
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                BlockType::FunctionType(self.first_type.saturating_add(place))
            }
        })
    }
}

/// A rewritten body.
pub(crate) struct Body {
    pub(crate) function: Function,
    pub(crate) pairs: Pairs,
}

impl Body {
    pub(crate) fn rewrite(
        counters: &Counters,
        shape: &Shape,
        body: &FunctionBody<'_>,
    ) -> Fallible<Self> {
        let ops = body
            .get_operators_reader()?
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let mut locals = Vec::new();
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            locals.push((count, RoundtripReencoder.val_type(ty)?));
        }
        if ops.iter().any(cost::is_bulk) {
            locals.push((1, ValType::I32));
        }
        let mut writer = Writer {
            counters,
            function: Function::new(locals),
            pairs: Pairs::default(),
            count_local: shape.params.saturating_add(shape.locals),
            frame: ops.iter().any(cost::is_call).then(|| frame(shape)),
            depth: 0,
        };
        writer.write(&ops, counters.block_type(&shape.results)?)?;
        Ok(Self {
            function: writer.function,
            pairs: writer.pairs,
        })
    }
}

/// A frame's slots; the survey has bounded each of the summands.
fn frame(shape: &Shape) -> i32 {
    let slots = [FRAME_SLOTS, shape.params, shape.locals, shape.operands];
    let slots = slots.into_iter().fold(0, u32::saturating_add);
    i32::try_from(slots).unwrap_or(i32::MAX)
}

struct Writer<'a> {
    counters: &'a Counters,
    function: Function,
    pairs: Pairs,
    /// The local that holds the count of a bulk operation, if the function has one.
    count_local: u32,
    /// The slots that the function takes while it calls others; `None` if it calls none.
    frame: Option<i32>,
    /// Open blocks of the original body.
    depth: u32,
}

impl Writer<'_> {
    fn write(&mut self, ops: &[Op<'_>], results: BlockType) -> Fallible<()> {
        let stretches = Stretches::of(ops);
        let first = stretches.beginning_at(0);
        self.charge(first.saturating_add(ENTRY_COST));
        self.check_gas();
        if let Some(frame) = self.frame {
            self.take_frame(frame, first);
            // All ways out but traps and tail calls lead to this block's end, where the frame is given back.
            self.function.instruction(&I::Block(results));
        }
        for (place, op) in ops.iter().enumerate() {
            let behind = stretches.behind(place);
            self.instruction(op, behind)?;
            if cost::ends_stretch(op) {
                let next = stretches.beginning_at(place.saturating_add(1));
                self.charge(next);
            }
            if matches!(op, Op::Loop { .. }) {
                self.check_gas();
            }
        }
        Ok(())
    }

    /// Writes one instruction of the original; `behind` is what a trap in it leaves unrun.
    fn instruction(&mut self, op: &Op<'_>, behind: u32) -> Fallible<()> {
        if cost::is_bulk(op) {
            self.charge_count();
        }
        match op {
            Op::Block { .. } | Op::Loop { .. } | Op::If { .. } => {
                self.depth = self.depth.saturating_add(1);
            }
            Op::End if self.depth > 0 => self.depth = self.depth.saturating_sub(1),
            Op::End => {
                if let Some(frame) = self.frame {
                    self.function.instruction(&I::End);
                    self.give_back_frame(frame);
                }
            }
            Op::Return if self.frame.is_some() => {
                self.function.instruction(&I::Br(self.depth));
                return Ok(());
            }
            _ => {}
        }
        if cost::is_tail_call(op)
            && let Some(frame) = self.frame
        {
            self.give_back_frame(frame);
        }
        if cost::may_trap(op) {
            self.note(behind);
        }
        let same = RoundtripReencoder.instruction(op.clone())?;
        self.function.instruction(&same);
        Ok(())
    }

    /// A trap in the instruction written next gives back `cost`.
    fn note(&mut self, cost: u32) {
        let offset = u32::try_from(self.function.byte_len()).unwrap_or(u32::MAX);
        self.pairs.push(offset, cost);
    }

    fn charge(&mut self, cost: u32) {
        if cost == 0 {
            return;
        }
        let gas = self.counters.gas;
        self.function
            .instruction(&I::GlobalGet(gas))
            .instruction(&I::I64Const(i64::from(cost)))
            .instruction(&I::I64Sub)
            .instruction(&I::GlobalSet(gas));
    }

    /// Charges the count on the stack's top, which is unsigned, and leaves it there.
    fn charge_count(&mut self) {
        let gas = self.counters.gas;
        self.function
            .instruction(&I::LocalTee(self.count_local))
            .instruction(&I::GlobalGet(gas))
            .instruction(&I::LocalGet(self.count_local))
            .instruction(&I::I64ExtendI32U)
            .instruction(&I::I64Sub)
            .instruction(&I::GlobalSet(gas));
        self.check_gas();
    }

    fn check_gas(&mut self) {
        self.function
            .instruction(&I::GlobalGet(self.counters.gas))
            .instruction(&I::I64Const(0))
            .instruction(&I::I64LtS)
            .instruction(&I::If(BlockType::Empty));
        self.note(0);
        self.function
            .instruction(&I::Unreachable)
            .instruction(&I::End);
    }

    /// Takes `frame` slots; a trap gives back the function's `first` stretch, of which nothing ran.
    fn take_frame(&mut self, frame: i32, first: u32) {
        let stack = self.counters.stack;
        self.function
            .instruction(&I::GlobalGet(stack))
            .instruction(&I::I32Const(frame))
            .instruction(&I::I32Sub)
            .instruction(&I::GlobalSet(stack))
            .instruction(&I::GlobalGet(stack))
            .instruction(&I::I32Const(0))
            .instruction(&I::I32LtS)
            .instruction(&I::If(BlockType::Empty));
        self.note(first);
        self.function
            .instruction(&I::Unreachable)
            .instruction(&I::End);
    }

    fn give_back_frame(&mut self, frame: i32) {
        let stack = self.counters.stack;
        self.function
            .instruction(&I::GlobalGet(stack))
            .instruction(&I::I32Const(frame))
            .instruction(&I::I32Add)
            .instruction(&I::GlobalSet(stack));
    }
}

/// For each instruction, what its straight stretch of code costs behind it.
struct Stretches(Vec<(u32, u32)>);

impl Stretches {
    fn of(ops: &[Op<'_>]) -> Self {
        let mut costs: Vec<_> = ops.iter().map(|op| (cost::of(op), 0)).collect();
        let mut behind = 0_u32;
        for (op, (own, rest)) in ops.iter().zip(&mut costs).rev() {
            if cost::ends_stretch(op) {
                behind = 0;
            }
            *rest = behind;
            behind = behind.saturating_add(*own);
        }
        Self(costs)
    }

    /// The cost of the stretch that begins at `place`.
    fn beginning_at(&self, place: usize) -> u32 {
        self.0
            .get(place)
            .map_or(0, |(own, rest)| own.saturating_add(*rest))
    }

    /// What the stretch costs behind the instruction at `place`.
    fn behind(&self, place: usize) -> u32 {
        self.0.get(place).map_or(0, |(_, rest)| *rest)
    }
}
