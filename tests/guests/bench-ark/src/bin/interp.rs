//! Interprets 76 million instructions of a register machine: dispatch by one large jump table.

use bench_ark::rounds;

#[derive(Clone, Copy)]
#[expect(
    dead_code,
    reason = "the program does without some of them, as programs do"
)]
enum Code {
    LoadImmediate,
    Move,
    Add,
    Subtract,
    Multiply,
    Xor,
    ShiftRight,
    And,
    LessThan,
    JumpIfZero,
    Jump,
    Load,
    Store,
    Call,
    Return,
    Remainder,
    Equal,
    Halt,
}

#[derive(Clone, Copy)]
struct Instruction {
    code: Code,
    a: u8,
    b: u8,
    c: u8,
    immediate: i32,
}

struct Machine {
    registers: [i64; 32],
    memory: Vec<i64>,
    stack: Vec<usize>,
    executed: u64,
}

impl Machine {
    fn run(&mut self, program: &[Instruction]) {
        let mut at = 0_usize;
        loop {
            let i = program[at];
            at += 1;
            self.executed += 1;
            let r = &mut self.registers;
            let (a, b, c) = (
                (i.a & 31) as usize,
                (i.b & 31) as usize,
                (i.c & 31) as usize,
            );
            match i.code {
                Code::LoadImmediate => r[a] = i64::from(i.immediate),
                Code::Move => r[a] = r[b],
                Code::Add => r[a] = r[b].wrapping_add(r[c]),
                Code::Subtract => r[a] = r[b].wrapping_sub(r[c]),
                Code::Multiply => r[a] = r[b].wrapping_mul(r[c]),
                Code::Xor => r[a] = r[b] ^ r[c],
                Code::ShiftRight => r[a] = ((r[b] as u64) >> (i.immediate & 63)) as i64,
                Code::And => r[a] = r[b] & r[c],
                Code::LessThan => r[a] = i64::from(r[b] < r[c]),
                Code::Equal => r[a] = i64::from(r[b] == r[c]),
                Code::JumpIfZero => {
                    if r[a] == 0 {
                        at = i.immediate as usize;
                    }
                }
                Code::Jump => at = i.immediate as usize,
                Code::Load => r[a] = self.memory[r[b] as usize & (self.memory.len() - 1)],
                Code::Store => {
                    let place = r[b] as usize & (self.memory.len() - 1);
                    self.memory[place] = r[a];
                }
                Code::Call => {
                    self.stack.push(at);
                    at = i.immediate as usize;
                }
                Code::Return => at = self.stack.pop().unwrap(),
                Code::Remainder => {
                    r[a] = if r[c] == 0 {
                        0
                    } else {
                        r[b].wrapping_rem(r[c])
                    };
                }
                Code::Halt => return,
            }
        }
    }
}

/// A loop of `turns` with a call, a hash table and a branch that is hard to foretell.
fn program(turns: i32) -> Vec<Instruction> {
    use Code as C;
    let i = |code, a, b, c, immediate| Instruction {
        code,
        a,
        b,
        c,
        immediate,
    };
    vec![
        i(C::LoadImmediate, 1, 0, 0, 0),
        i(C::LoadImmediate, 2, 0, 0, turns),
        i(C::LoadImmediate, 3, 0, 0, 1),
        i(C::LoadImmediate, 4, 0, 0, 0x9e37_79b1_u32 as i32),
        i(C::LoadImmediate, 9, 0, 0, 0),
        i(C::LoadImmediate, 10, 0, 0, 7),
        // 6: the loop
        i(C::LessThan, 5, 1, 2, 0),
        i(C::JumpIfZero, 5, 0, 0, 27),
        i(C::Multiply, 6, 1, 4, 0),
        i(C::ShiftRight, 7, 6, 0, 13),
        i(C::Xor, 6, 6, 7, 0),
        i(C::Call, 0, 0, 0, 23),
        i(C::Remainder, 7, 6, 10, 0),
        i(C::JumpIfZero, 7, 0, 0, 16),
        i(C::Add, 9, 9, 8, 0),
        i(C::Jump, 0, 0, 0, 18),
        i(C::Subtract, 9, 9, 6, 0),
        i(C::Xor, 9, 9, 7, 0),
        i(C::Load, 11, 9, 0, 0),
        i(C::Add, 11, 11, 3, 0),
        i(C::Store, 11, 9, 0, 0),
        i(C::Add, 1, 1, 3, 0),
        i(C::Jump, 0, 0, 0, 6),
        // 23: the function
        i(C::Load, 8, 6, 0, 0),
        i(C::Xor, 8, 8, 1, 0),
        i(C::Store, 8, 6, 0, 0),
        i(C::Return, 0, 0, 0, 0),
        // 27
        i(C::Halt, 0, 0, 0, 0),
    ]
}

fn main() {
    let mut machine = Machine {
        registers: [0; 32],
        memory: vec![0; 1 << 16],
        stack: Vec::new(),
        executed: 0,
    };

    machine.run(&program(rounds(4_000_000) as i32));

    println!("{} {:x}", machine.executed, machine.registers[9]);
}
