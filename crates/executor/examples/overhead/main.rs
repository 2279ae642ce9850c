//! What metering costs: five programs, natively, as they are, metered in both ways; interleaved, in CPU time, the median counts.
//!
//! `cargo run --release -p executor --example overhead -- [repetitions] [guest…]`

#![expect(clippy::print_stdout, reason = "a bench speaks to its caller")]
#![expect(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    reason = "ratios of milliseconds"
)]

mod guest;
mod interpreted;
mod native;

use anyhow::Context as _;
use metering::Variant;

const GUESTS: [&str; 5] = ["sha256", "nbody", "json", "sort", "interp"];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let repetitions: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let chosen: Vec<_> = arguments.collect();
    let guests = GUESTS
        .into_iter()
        .filter(|name| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name));
    let folder = native::build()?;
    println!(
        "ms of CPU    native   plain    fast   exact   wasmi | fast/plain  exact/plain  fast/native  wasmi/fast"
    );
    let mut ratios = Vec::new();
    for name in guests {
        let row = Row::of(&folder, name, repetitions)?;
        println!("{row}");
        ratios.push(row.ratios());
    }
    let mean = |pick: fn(&[f64; 4]) -> f64| {
        let logarithms: f64 = ratios.iter().map(|ratios| pick(ratios).ln()).sum();
        let count = u32::try_from(ratios.len()).map_or(1.0, f64::from);
        (logarithms / count).exp()
    };
    println!(
        "geometric mean                                       | {:10.3}  {:11.3}  {:11.3}  {:10.1}",
        mean(|ratios| ratios[0]),
        mean(|ratios| ratios[1]),
        mean(|ratios| ratios[2]),
        mean(|ratios| ratios[3]),
    );
    Ok(())
}

struct Row {
    name: String,
    native: f64,
    plain: f64,
    fast: f64,
    exact: f64,
    wasmi: f64,
}

impl Row {
    fn of(folder: &native::Folder, name: &str, repetitions: usize) -> anyhow::Result<Self> {
        let wasm = std::fs::read(folder.wasm(name)).context("the guest as built")?;
        let fast = metering::meter(&wasm, Variant::Fast)?;
        let exact = metering::meter(&wasm, Variant::Exact)?;
        let compile = |wasm: &[u8]| guest::Guest::compile(wasm).map_err(|error| told(&error));
        let plain = compile(&wasm)?;
        let fast = compile(&fast.wasm)?;
        let exact = compile(&exact.wasm)?;
        let mut times = [const { Vec::new() }; 4];
        let mut seen = None;
        for _ in 0..repetitions {
            let run = |guest: &guest::Guest| guest.run().map_err(|error| told(&error));
            let ran = [run(&plain)?, run(&fast)?, run(&exact)?];
            for (time, ran) in times.iter_mut().zip(&ran) {
                time.push(ran.milliseconds);
            }
            let [plain, fast, exact] = ran;
            anyhow::ensure!(fast.gas == exact.gas, "{name}: the ways disagree on gas");
            let output = plain.output.clone();
            anyhow::ensure!(output == fast.output && output == exact.output);
            let before = seen.get_or_insert((fast.gas, output.clone()));
            anyhow::ensure!(*before == (fast.gas, output), "{name}: no run like another");
            if let Some(times) = times.last_mut() {
                times.push(folder.run_natively(name)?);
            }
        }
        // Seconds long, and so the same each time within a hundredth.
        let wasmi = interpreted::run(&wasm)?;
        let [plain, fast, exact, native] = times.map(median);
        Ok(Self {
            name: name.to_owned(),
            native,
            plain,
            fast,
            exact,
            wasmi,
        })
    }

    fn ratios(&self) -> [f64; 4] {
        [
            self.fast / self.plain,
            self.exact / self.plain,
            self.fast / self.native,
            self.wasmi / self.fast,
        ]
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [fast, exact, native, wasmi] = self.ratios();
        write!(
            to,
            "{:10} {:8.1}{:8.1}{:8.1}{:8.1}{:8.1} | {fast:10.3}  {exact:11.3}  {native:11.3}  {wasmi:10.1}",
            self.name, self.native, self.plain, self.fast, self.exact, self.wasmi
        )
    }
}

/// The engine has an error type of its own.
fn told(error: &wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
