//! Use on demand told to the meters of a fake Stripe (P21), over every store: each entry once, whatever breaks between any two calls,
//! and the sums equal in the end.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod breaks;
mod histories;
mod outages;
mod stage;
mod stories;
mod switch;
#[path = "../billing/transport.rs"]
mod transport;

/// Runs a test over each store.
#[macro_export]
macro_rules! over_every_store {
    ($($name:ident)+) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::stage::Kind::Memory).await;
            })+
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::stage::Kind::Sqlite).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::stage::Kind::Postgres).await;
            })+
        }
    };
}
