//! Between rows and types.

use std::str::FromStr;

use protocol::NearToken;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::Error;

/// Digits of the largest amount, so that padded amounts sort as numbers do.
const MONEY_DIGITS: usize = 39;

/// A number for a `BIGINT`. It stops at 2^63 - 1, which no time, height, count or size reaches.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An amount, padded so that the order of texts is the order of amounts.
pub(crate) fn money(amount: NearToken) -> String {
    format!("{:0MONEY_DIGITS$}", amount.as_yoctonear())
}

/// Typed access to a row's columns.
pub(crate) trait Columns {
    /// A number, never negative.
    fn int(&self, column: &'static str) -> Result<u64, Error> {
        self.maybe_int(column)?
            .ok_or_else(|| corrupt(column, "it is null"))
    }

    /// A number that may be absent.
    fn maybe_int(&self, column: &'static str) -> Result<Option<u64>, Error>;

    /// A text.
    fn text(&self, column: &'static str) -> Result<String, Error> {
        self.maybe_text(column)?
            .ok_or_else(|| corrupt(column, "it is null"))
    }

    /// A text that may be absent.
    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, Error>;

    /// A text that means something.
    fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, column: &'static str) -> Result<T, Error> {
        self.text(column)?
            .parse()
            .map_err(|err| corrupt(column, err))
    }

    /// A text that means something and may be absent.
    fn maybe_parsed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Error> {
        self.maybe_text(column)?
            .map(|text| text.parse().map_err(|err| corrupt(column, err)))
            .transpose()
    }

    /// A JSON text.
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        serde_json::from_str(&self.text(column)?).map_err(|err| corrupt(column, err))
    }

    /// One of an enum's names, without the quotes that JSON gives it.
    fn named<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        name(column, self.text(column)?)
    }

    /// One of an enum's names, or nothing.
    fn maybe_named<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, Error> {
        self.maybe_text(column)?
            .map(|text| name(column, text))
            .transpose()
    }

    /// An amount.
    fn money(&self, column: &'static str) -> Result<NearToken, Error> {
        self.parsed(column).map(NearToken::from_yoctonear)
    }

    /// An amount that may be absent.
    fn maybe_money(&self, column: &'static str) -> Result<Option<NearToken>, Error> {
        Ok(self.maybe_parsed(column)?.map(NearToken::from_yoctonear))
    }
}

impl Columns for AnyRow {
    fn maybe_int(&self, column: &'static str) -> Result<Option<u64>, Error> {
        self.try_get::<Option<i64>, _>(column)?
            .map(|value| u64::try_from(value).map_err(|err| corrupt(column, err)))
            .transpose()
    }

    fn maybe_text(&self, column: &'static str) -> Result<Option<String>, Error> {
        Ok(self.try_get(column)?)
    }
}

fn name<T: DeserializeOwned>(column: &'static str, text: String) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(|err| corrupt(column, err))
}

pub(crate) fn corrupt(column: &'static str, reason: impl std::fmt::Display) -> Error {
    Error::Corrupt {
        column,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_sort_as_texts_as_they_do_as_numbers() {
        let mut amounts = [9u128, 10, u128::MAX, 0, 1_000].map(NearToken::from_yoctonear);
        let mut texts = amounts.map(money);

        amounts.sort();
        texts.sort();

        assert_eq!(texts, amounts.map(money));
        assert_eq!(texts[4].len(), MONEY_DIGITS);
    }
}
