//! Answers with a random number.
//!
//! Input: `{"min": 1, "max": 100}`, both included; each may be left out, and so may the whole input. Output: the number.

use std::collections::HashMap;
use std::io::{self, Read};
use std::process::ExitCode;

use tinyjson::JsonValue;

/// What is drawn from when the input does not say: the numbers of a die.
const DIE: (u64, u64) = (1, 6);

/// Above this, a JSON number may not be the one that was written: 2^53.
const EXACT: u64 = 9_007_199_254_740_992;

fn main() -> ExitCode {
    match answer() {
        Ok(number) => {
            print!("{number}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> Result<u64, String> {
    let mut input = String::new();
    io::stdin()
        .read_to_string(&mut input)
        .map_err(|error| format!("cannot read the input: {error}"))?;
    let (min, max) = bounds(&input)?;
    between(min, max).map_err(|error| format!("no randomness: {error}"))
}

/// Reads what to draw from.
fn bounds(input: &str) -> Result<(u64, u64), String> {
    if input.trim().is_empty() {
        return Ok(DIE);
    }
    let input: JsonValue = input
        .parse()
        .map_err(|error| format!("the input is not JSON: {error}"))?;
    let Some(fields) = input.get::<HashMap<String, JsonValue>>() else {
        return Err("the input is no object, such as {\"min\": 1, \"max\": 6}".to_owned());
    };
    let number = |name: &str, default| match fields.get(name) {
        None => Ok(default),
        Some(value) => {
            whole(value).ok_or_else(|| format!("{name} is no whole number from 0 to {EXACT}"))
        }
    };
    let (min, max) = (number("min", DIE.0)?, number("max", DIE.1)?);
    if min > max {
        return Err(format!("min {min} is above max {max}"));
    }
    Ok((min, max))
}

/// The whole number that `value` is.
fn whole(value: &JsonValue) -> Option<u64> {
    let number: f64 = *value.get()?;
    // A float prints as a whole number exactly when it is one.
    number
        .to_string()
        .parse()
        .ok()
        .filter(|whole| *whole <= EXACT)
}

/// Draws a number, each equally likely.
fn between(min: u64, max: u64) -> Result<u64, getrandom::Error> {
    // As many bits as the widest distance needs; what lies beyond is drawn again, for a remainder would favour small numbers.
    let distance = max - min;
    let mask = u64::MAX.checked_shr(distance.leading_zeros()).unwrap_or(0);
    loop {
        let drawn = getrandom::u64()? & mask;
        if drawn <= distance {
            return Ok(min + drawn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_of_the_input_is_a_dies() {
        assert_eq!(bounds(""), Ok((1, 6)));
        assert_eq!(bounds("{}"), Ok((1, 6)));
        assert_eq!(bounds("{\"max\": 100}"), Ok((1, 100)));
    }

    #[test]
    fn input_that_makes_no_sense_is_refused() {
        for input in [
            "7",
            "min",
            "{\"min\": -1}",
            "{\"max\": 1.5}",
            "{\"max\": 1e300}",
            "{\"min\": 2, \"max\": 1}",
            "{\"max\": \"6\"}",
        ] {
            assert!(bounds(input).is_err(), "{input}");
        }
    }

    #[test]
    fn every_number_between_the_bounds_comes_and_no_other() {
        let drawn: std::collections::BTreeSet<_> =
            (0..1000).map(|_| between(1, 3).unwrap()).collect();

        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(between(u64::MAX, u64::MAX), Ok(u64::MAX));
        assert!(between(0, u64::MAX).is_ok());
    }
}
