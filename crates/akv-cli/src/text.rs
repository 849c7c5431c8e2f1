//! Times and bytes as text.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time in RFC 3339, to the second.
pub(crate) fn moment(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0);
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "?".to_owned())
}

/// Parses a time in RFC 3339, or a day, which begins at midnight UTC.
pub(crate) fn read_moment(text: &str) -> Result<SystemTime, String> {
    let whole =
        if text.contains(['T', 't']) { text.to_owned() } else { format!("{text}T00:00:00Z") };
    OffsetDateTime::parse(&whole, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| "expected 2030-12-31 or 2030-12-31T23:59:59Z".to_owned())
}

/// Base64 with padding (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Parses base64, which may contain line breaks.
pub(crate) fn read_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text.iter().copied().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|error| format!("invalid base64: {error}"))
}

/// Parses hexadecimal digits; white space is ignored.
pub(crate) fn read_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.split_ascii_whitespace().collect();
    hex::decode(digits).map_err(|_| "expected pairs of hexadecimal digits".to_owned())
}

/// A duration with a sensible number of digits.
pub(crate) fn duration(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

/// A long time in a suitable unit, rounded: `3 hours`.
pub(crate) fn span(duration: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = duration.as_secs();
    // A time within one percent of two hours counts as two hours.
    let about = seconds.saturating_add(seconds / 100);
    let fitting = UNITS.iter().find(|(length, _)| about >= 2 * length);
    let (length, unit) = fitting.copied().unwrap_or((1, "second"));
    let number = seconds.saturating_add(length / 2) / length;
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        let bytes = [0, 1, 0x7f, 0xff];
        assert_eq!(read_hex(&hex::encode(bytes)).unwrap(), bytes);
        assert_eq!(read_base64(base64(&bytes).as_bytes()).unwrap(), bytes);
        assert_eq!(read_base64(b"AA\nF/ /w==\n").unwrap(), [0, 1, 0x7f, 0xff]);
        for wrong in ["0", "0g", "+1"] {
            assert!(read_hex(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_round_trip() {
        let day = read_moment("2030-12-31").unwrap();
        assert_eq!(moment(day), "2030-12-31T00:00:00Z");
        assert_eq!(moment(read_moment("2030-12-31T23:59:59Z").unwrap()), "2030-12-31T23:59:59Z");
        assert!(read_moment("tomorrow").is_err());
    }

    #[test]
    fn durations_are_formatted() {
        assert_eq!(duration(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(duration(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(span(Duration::from_secs(3 * 3600 + 5)), "3 hours");
        assert_eq!(span(Duration::from_secs(1)), "1 second");
        assert_eq!(span(Duration::from_secs(90)), "90 seconds");
        assert_eq!(span(Duration::from_secs(7_198)), "2 hours");
        assert_eq!(span(Duration::from_secs(5_400)), "90 minutes");
        assert_eq!(span(Duration::from_secs(200_000)), "2 days");
    }
}
