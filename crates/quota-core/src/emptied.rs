//! Why nothing is left of a grant or a boost, for whoever wants to take it back (X8).

use std::fmt;

use chrono::{DateTime, Utc};

use crate::balance::Balance;
use crate::instant;

/// Why nothing is left of a grant or a boost; as text what follows "it".
///
/// ```
/// use quota_core::emptied::Emptied;
///
/// assert_eq!(Emptied::Spent.to_string(), "is spent");
/// let at = "2027-03-10T12:00:00Z".parse()?;
/// assert_eq!(Emptied::Over { at }.to_string(), "ended at 2027-03-10T12:00:00Z");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptied {
    /// What is not spent of it is reserved, and may come back.
    Reserved,
    /// What was not taken back of it is spent.
    Spent,
    /// All of it was taken back.
    TakenBack,
    /// What is not spent of it is disputed, and may come back.
    Frozen,
    /// It came to its end.
    Over {
        /// When.
        at: DateTime<Utc>,
    },
    /// It was closed where the account lived before.
    Earlier,
}

impl Emptied {
    /// Why nothing is left of a balance of which nothing is.
    pub fn of(balance: &Balance, now: DateTime<Utc>) -> Self {
        let over_at = balance.ends_at.filter(|ends_at| *ends_at <= now);
        if balance.held != 0 && over_at.is_none() {
            Self::Reserved
        } else if balance.worth() == 0 {
            Self::TakenBack
        } else if balance.worth() <= balance.used {
            Self::Spent
        } else if balance.frozen() != 0 && over_at.is_none() {
            Self::Frozen
        } else {
            over_at.map_or(Self::Reserved, |at| Self::Over { at })
        }
    }
}

impl fmt::Display for Emptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved => f.write_str("is reserved"),
            Self::Spent => f.write_str("is spent"),
            Self::TakenBack => f.write_str("was taken back"),
            Self::Frozen => f.write_str("is disputed"),
            Self::Over { at } => write!(f, "ended at {}", instant::text(at)),
            Self::Earlier => f.write_str("ended before the account moved"),
        }
    }
}
