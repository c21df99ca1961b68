//! Enums that may grow at any time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word of an enum that Stripe may add to: every one of its enums is "or any string".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open<K> {
    /// A word that this code knows.
    Known(K),
    /// A newer one.
    Other(String),
}

/// An enum with a word for each of its values.
pub trait Word: Copy + Eq + Sized {
    /// The value that a word means.
    fn of(word: &str) -> Option<Self>;
    /// The word of this value.
    fn word(self) -> &'static str;
}

impl<K: Word> Open<K> {
    /// What a word means.
    pub fn of(word: &str) -> Self {
        K::of(word).map_or_else(|| Self::Other(word.to_owned()), Self::Known)
    }

    /// The word as Stripe writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::Known(known) => known.word(),
            Self::Other(other) => other,
        }
    }

    /// Whether it is this known value.
    pub fn is(&self, known: K) -> bool {
        *self == Self::Known(known)
    }
}

impl<K: Word> fmt::Display for Open<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl<'de, K: Word> Deserialize<'de> for Open<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|word| Self::of(&word))
    }
}

impl<K: Word> Serialize for Open<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// An enum with the words of its values.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$what])* #[doc = concat!("`", $word, "`")] $value,)+
        }

        impl $crate::shapes::open::Word for $name {
            fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }

            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::shapes::open::Word::word(*self))
            }
        }
    };
}
pub(crate) use words;
