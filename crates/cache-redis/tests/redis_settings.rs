//! Settings: the URL stays secret, and what cannot be used says so.

use std::error::Error;

use cache_redis::{RedisCache, RedisCacheSettings};

const SECRET: &str = "hunter2";

#[test]
fn the_password_is_not_shown() {
    let settings = RedisCacheSettings::new(format!("redis://:{SECRET}@127.0.0.1:1/0"));
    assert!(!format!("{settings:?} {settings:#?}").contains(SECRET));
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_refused_without_its_password() {
    for url in [
        "",
        "redis:",
        "http://:hunter2@x/",
        "rediss://:hunter2@x/",
        "redis://:hunter2@x:port/0",
    ] {
        let outcome = RedisCache::connect(&RedisCacheSettings::new(url)).await;
        let error = outcome.expect_err("not a URL of Redis");
        let cause = error.source().map(ToString::to_string);
        let shown = format!("{error} {error:?} {cause:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
