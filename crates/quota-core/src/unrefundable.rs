//! Why an operation cannot be refunded (X3, X8).

use std::fmt;

use crate::operation::OperationKind;

/// Why an operation cannot be refunded.
///
/// ```
/// use quota_core::operation::OperationKind;
/// use quota_core::unrefundable::Unrefundable;
///
/// let why = Unrefundable::Kind(OperationKind::Reserve);
/// assert_eq!(why.to_string(), "it is a `reserve`, and only a `consume`, `track` or `commit` can be refunded");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrefundable {
    /// Operations of that kind use nothing for good.
    Kind(OperationKind),
    /// It was denied.
    Denied,
    /// It charged the user nothing.
    Uncharged,
    /// It is from before a move, and so much was settled since that it is not known any more whether it was refunded.
    Forgotten,
}

impl fmt::Display for Unrefundable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => {
                let kind = kind.as_str();
                write!(
                    f,
                    "it is a `{kind}`, and only a `consume`, `track` or `commit` can be refunded"
                )
            }
            Self::Denied => f.write_str("it was denied, and charged nothing"),
            Self::Uncharged => f.write_str("it charged the user nothing"),
            Self::Forgotten => f.write_str(
                "it is from before the account moved, and too much was refunded since to know what of it was",
            ),
        }
    }
}
