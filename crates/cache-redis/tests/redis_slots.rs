//! All keys of one home are in one slot of a Redis Cluster, and no two things share a key.

use std::collections::HashSet;

use cache_redis::Keys;
use testkit::fixtures::{org, user};

/// The slot of a key, as the Redis Cluster specification defines it.
fn slot(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    let hashed = tag.map_or(key, |(tag, _)| if tag.is_empty() { key } else { tag });
    crc16(hashed.as_bytes()) % 16_384
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

#[test]
fn the_specifications_example_has_its_sum() {
    assert_eq!(crc16(b"123456789"), 0x31c3);
    assert_eq!(slot("{user1000}.following"), slot("user1000"));
}

#[test]
fn all_keys_of_a_home_share_its_slot() {
    let keys = Keys::new("q").unwrap();
    let homes = ["acme", "a}b", "{a}", "}{", "%7B", "ü 🦀"].map(org);
    let users = ["bob", "}:v", "{x}", "🦀"].map(user);
    let mut slots = HashSet::new();
    for home in &homes {
        let home_slot = slot(&keys.record(home));
        slots.insert(home_slot);
        for account in &users {
            assert_eq!(slot(&keys.entry(home, account)), home_slot);
            assert_eq!(slot(&keys.events(home, account)), home_slot);
        }
    }
    assert_eq!(
        slots.len(),
        homes.len(),
        "the tag is the home, not the prefix"
    );
}

#[test]
fn no_two_things_share_a_key() {
    let keys = Keys::new("q").unwrap();
    let names = ["x", "x}", "x}:a:user:y", "x%7D", "{x}", "x}:v", "y}:v"];
    let mut seen = HashSet::new();
    for home in names.map(org) {
        assert!(seen.insert(keys.record(&home)));
        for account in names.map(user) {
            assert!(seen.insert(keys.entry(&home, &account)));
            assert!(seen.insert(keys.events(&home, &account)));
        }
    }
}

#[test]
fn a_prefix_that_would_break_the_tags_is_refused() {
    for prefix in ["", "a{", "}", "a b", "a\n", &"x".repeat(65)] {
        assert!(Keys::new(prefix).is_err(), "{prefix:?}");
    }
}
