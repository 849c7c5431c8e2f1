//! Calendar durations of ISO 8601 (`P90D`, `P18M`, `P1Y2M10D`), as used in rotation policies.

use time::{Date, Duration, OffsetDateTime};

/// Months, then days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    months: i64,
    days: i64,
}

impl Period {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
        let mut period = Self { months: 0, days: 0 };
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let number: i64 = rest[..digits].parse().ok().filter(|number| *number <= 100_000)?;
            match rest.as_bytes()[digits] {
                b'Y' => period.months += 12 * number,
                b'M' => period.months += number,
                b'W' => period.days += 7 * number,
                b'D' => period.days += number,
                _ => return None,
            }
            rest = &rest[digits + 1..];
        }
        Some(period)
    }

    /// Its length in days, a month counted as 30, to which the service's limits apply.
    pub(crate) const fn days(self) -> i64 {
        self.months * 30 + self.days
    }

    /// The time one period after another one, in seconds since the Unix epoch.
    pub(crate) fn after(self, start: i64) -> Option<i64> {
        self.from(start, 1)
    }

    /// The time one period before another one, in seconds since the Unix epoch.
    pub(crate) fn before(self, end: i64) -> Option<i64> {
        self.from(end, -1)
    }

    fn from(self, start: i64, direction: i64) -> Option<i64> {
        let start = OffsetDateTime::from_unix_timestamp(start).ok()?;
        let months = i64::from(start.year()) * 12 + i64::from(u8::from(start.month())) - 1
            + direction * self.months;
        let year = i32::try_from(months.div_euclid(12)).ok()?;
        let month = u8::try_from(months.rem_euclid(12) + 1).ok()?.try_into().ok()?;
        let day = start.day().min(time::util::days_in_month(month, year));
        let date = Date::from_calendar_date(year, month, day).ok()?;
        let end = start.replace_date(date).checked_add(Duration::days(direction * self.days))?;
        Some(end.unix_timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_calendar_periods() {
        assert_eq!(Period::parse("P1Y2M10D"), Some(Period { months: 14, days: 10 }));
        for bad in ["", "P", "90D", "P90", "P-1D", "PT1H", "P99999999999D"] {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
        let period = |text| Period::parse(text).unwrap();
        assert_eq!(period("P90D").after(1_680_041_253), Some(1_687_817_253));
        // 31 January 2023 plus a month is the last day of February; so is 31 March minus one.
        assert_eq!(period("P1M").after(1_675_123_200), Some(1_677_542_400));
        assert_eq!(period("P1M").before(1_680_220_800), Some(1_677_542_400));
        assert_eq!(period("P1Y2W").days(), 374);
    }
}
