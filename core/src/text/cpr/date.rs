//! The day of birth that a CPR number begins with.

use super::said::Other;

/// The year of birth that a CPR number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Birth {
    year: u16,
}

impl Birth {
    /// Nobody in a ledger was born before this year.
    const FIRST: u16 = 1900;
    /// Up to this year of birth, ten digits in a row are taken for a CPR number without more ado.
    ///
    /// This bound never has to be raised. Numbers of those born later are caught too, unless they can
    /// be another of the numbers that have ten digits: see [`Birth::may_be_in_ledger`]. It only says
    /// where that doubt begins to count.
    const LAST_WITHOUT_DOUBT: u16 = 2027;

    /// The years that CPR numbers can say.
    const OF_ANY_NUMBER: std::ops::RangeInclusive<u16> = 1858..=2057;

    /// Reads the digits `DDMMYYNNNN` or `DDMMYYYYNNNN`; `None` if they begin with no day, or if the
    /// seventh digit says another century than a year of four digits. A replacement number, whose
    /// day is 60 higher, counts. No checksum is asked for: since 2007 there are numbers without it.
    pub(super) fn read(digits: &[u8]) -> Option<Self> {
        let (day, month, year) = match *digits {
            [d1, d2, m1, m2, y1, y2, n1, _, _, _] => ((d1, d2), (m1, m2), year(two(y1, y2), n1)?),
            [d1, d2, m1, m2, y1, y2, y3, y4, n1, _, _, _] => {
                let year = year(two(y3, y4), n1)?;
                if year != two(y1, y2) * 100 + two(y3, y4) {
                    return None;
                }
                ((d1, d2), (m1, m2), year)
            }
            _ => return None,
        };
        Self::on(day, month, year)
    }

    /// The same for a number that nobody doubts: no replacement number, and of somebody who can be in a
    /// ledger today.
    pub(super) fn read_usual(digits: &[u8]) -> Option<Self> {
        let is_day = digits.first().is_some_and(|tens| *tens < 4);
        let birth = Self::read(digits).filter(|_| is_day)?;
        (Self::FIRST..=Self::LAST_WITHOUT_DOUBT)
            .contains(&birth.year)
            .then_some(birth)
    }

    /// Reads `DDMMYYYYNNNN`, whatever century the seventh digit of the number says.
    pub(super) fn read_as_written(digits: &[u8]) -> Option<Self> {
        match *digits {
            [d1, d2, m1, m2, y1, y2, y3, y4, ..] => {
                let year = two(y1, y2) * 100 + two(y3, y4);
                Self::on((d1, d2), (m1, m2), year).filter(|_| Self::OF_ANY_NUMBER.contains(&year))
            }
            _ => None,
        }
    }

    fn on(day: (u8, u8), month: (u8, u8), year: u16) -> Option<Self> {
        let (day, month) = (two(day.0, day.1), two(month.0, month.1));
        let day = if day > 60 { day - 60 } else { day };
        (1..=days(month, year))
            .contains(&day)
            .then_some(Self { year })
    }

    /// Whether somebody born in that year can be in a ledger, and the digits are not more likely
    /// another number. Of those born in years to come there are few or none yet, and production unit
    /// numbers (which begin with 10) and ISBNs (whose last digit is right) say such years all the time.
    pub(super) fn may_be_in_ledger(self, digits: &[u8]) -> bool {
        if self.year <= Self::LAST_WITHOUT_DOUBT {
            return self.year >= Self::FIRST;
        }
        let is_unit = matches!(digits, [1, 0, ..]) && Other::ProductionUnit.fits(digits);
        !is_unit && !Other::Isbn.fits(digits)
    }
}

/// The year, of which the seventh digit decides the century, as the civil registration's table
/// says.
const fn year(of_century: u16, seventh: u8) -> Option<u16> {
    let century = match (seventh, of_century) {
        (0..=3, _) => 1900,
        (4 | 9, 0..=36) => 2000,
        (4 | 9, _) => 1900,
        (5..=8, 0..=57) => 2000,
        (5..=8, _) => 1800,
        _ => return None,
    };
    Some(century + of_century)
}

const fn days(month: u16, year: u16) -> u16 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    }
}

const fn two(tens: u8, ones: u8) -> u16 {
    tens as u16 * 10 + ones as u16
}
