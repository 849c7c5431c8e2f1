//! Numbers with as many digits as they deserve.

use serde::{Deserialize, Serialize};

/// What the values of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    HandshakesPerSecond,
    RequestsPerSecond,
    Milliseconds,
    Microseconds,
    Count,
}

impl Unit {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HandshakesPerSecond => "handshakes per second",
            Self::RequestsPerSecond => "connections with a request, per second",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Count => "number",
        }
    }

    /// Whether a higher value is a better one.
    pub(crate) const fn is_rate(self) -> bool {
        matches!(self, Self::HandshakesPerSecond | Self::RequestsPerSecond)
    }

    pub(crate) fn format(self, value: f64) -> String {
        match self {
            Self::Count => grouped(value),
            Self::Milliseconds if value < 20.0 => format!("{value:.2}"),
            _ if value < 20.0 => format!("{value:.1}"),
            _ => grouped(value),
        }
    }
}

/// A ratio with three digits or more.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 2.0 => format!("{value:.2}"),
        value if value < 20.0 => format!("{value:.1}"),
        value => grouped(value),
    }
}

/// A whole number with thin spaces between thousands.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_they_deserve() {
        assert_eq!(Unit::Milliseconds.format(5.0351), "5.04");
        assert_eq!(Unit::HandshakesPerSecond.format(3.27), "3.3");
        assert_eq!(Unit::HandshakesPerSecond.format(1867.6), "1868");
        assert_eq!(Unit::Microseconds.format(12_345.6), "12\u{202f}346");
        assert_eq!([ratio(1.034), ratio(7.26), ratio(331.9)], ["1.03", "7.3", "332"]);
    }
}
