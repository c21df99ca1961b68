//! Codes, their uses, and who tried what is none (P15).

mod uses;

use std::sync::Arc;

use quota_core::amount::Amount;
use quota_core::code::{
    BoostGift, Code, CodeBatch, CodeGift, CodeHash, CodeWindow, CreditsGift, GiftEnd, PlanGift,
};
use quota_core::ids::{FeatureCode, PlanCode};
use quota_core::ports::{CodeBatchPage, CodeBatchPlace, CodePage, CodeStore};
use quota_core::quantity::Quantity;
use uuid::Uuid;

pub use uses::*;

use super::round_trip::odd_instant;
use crate::fixtures::instant;

type Store = Arc<dyn CodeStore>;

fn amount(value: u64) -> Amount {
    Amount::new(value).expect("an amount")
}

fn credits() -> CodeGift {
    CodeGift::Credits(CreditsGift {
        credits: amount(50),
        priority: 0,
        days: None,
    })
}

/// A batch with that number in its id, made at that second.
fn batch(number: u128, at: i64) -> CodeBatch {
    CodeBatch {
        id: Uuid::from_u128(number),
        name: "spring".to_owned(),
        gift: credits(),
        uses_max: 3,
        window: CodeWindow::default(),
        count: 2,
        created_at: instant(at),
        revoked_at: None,
        body_hash: [7; 32],
    }
}

fn code_of(batch: &CodeBatch, number: u32) -> Code {
    let id = batch.id.as_u128() * 1_000 + u128::from(number);
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(&id.to_le_bytes());
    Code {
        id: Uuid::from_u128(id),
        batch: batch.id,
        number,
        hash: CodeHash(hash),
        prefix: format!("AAAA{number}"),
        gift: batch.gift.clone(),
        uses_max: batch.uses_max,
        window: batch.window,
        uses: 0,
        created_at: batch.created_at,
        revoked_at: None,
    }
}

/// Stores a batch with all its codes; gives those.
async fn put(store: &Store, batch: &CodeBatch) -> Vec<Code> {
    let codes: Vec<Code> = (1..=batch.count)
        .map(|number| code_of(batch, number))
        .collect();
    let stored = store.put_codes(batch, &codes).await;
    assert_eq!(stored.expect("writes"), None);
    codes
}

/// A code alone in its batch.
async fn one_code(store: &Store, uses_max: u32, window: CodeWindow) -> Code {
    let alone = CodeBatch {
        count: 1,
        uses_max,
        window,
        ..batch(1, 0)
    };
    put(store, &alone).await.remove(0)
}

/// Codes and batches come back as they were made, whatever they give; a batch that is there is not made again.
pub async fn codes_come_back_as_they_were_made(store: Store) {
    let boost = |ends| {
        CodeGift::Boost(BoostGift {
            feature: FeatureCode::new("articles").expect("a code"),
            amount: amount(5),
            ends,
        })
    };
    let plan = CodeGift::Plan(PlanGift {
        plan: PlanCode::new("pro").expect("a code"),
        days: 30,
        seats: Quantity::new(5).expect("a quantity"),
    });
    let gifts = [
        credits(),
        boost(GiftEnd::Period),
        boost(GiftEnd::At(odd_instant())),
        boost(GiftEnd::Days(3)),
        plan,
    ];
    for (number, gift) in (1..).zip(gifts) {
        let made = CodeBatch {
            name: "it's \"odd\" %_ 数".to_owned(),
            gift,
            window: CodeWindow {
                from: Some(odd_instant()),
                until: Some(instant(90)),
            },
            created_at: odd_instant(),
            ..batch(number, 0)
        };
        let codes = put(&store, &made).await;
        let read = store.code_batch(made.id).await.expect("reads");
        assert_eq!(read.as_ref(), Some(&made));
        for code in &codes {
            let by_hash = store.code_by_hash(&code.hash).await.expect("reads");
            let by_id = store.code(code.id).await.expect("reads");
            assert_eq!((by_hash.as_ref(), by_id.as_ref()), (Some(code), Some(code)));
        }
        let other = CodeBatch {
            name: "another".to_owned(),
            ..made.clone()
        };
        let again = store.put_codes(&other, &[code_of(&other, 99)]).await;
        assert_eq!(again.expect("looks"), Some(made.clone()));
        let none = store.code(code_of(&other, 99).id).await;
        assert_eq!(none.expect("reads"), None);
    }
    let nothing = store.code_by_hash(&CodeHash([9; 32])).await;
    assert_eq!(nothing.expect("reads"), None);
    let nothing = store.code_batch(Uuid::from_u128(99)).await;
    assert_eq!(nothing.expect("reads"), None);
}

/// Batches come newest first, page by page, also of one instant.
pub async fn batches_of_codes_come_newest_first_by_pages(store: Store) {
    for (number, at) in [(1, 5), (2, 9), (3, 5), (4, 7)] {
        put(&store, &batch(number, at)).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = CodeBatchPage { after, limit: 3 };
        let found = store.code_batches(&page).await.expect("reads");
        let Some(last) = found.last() else { break };
        after = Some(CodeBatchPlace {
            created_at: last.created_at,
            id: last.id,
        });
        seen.extend(found.iter().map(|batch| batch.id.as_u128()));
    }
    assert_eq!(seen, [2, 4, 3, 1]);
}

/// Codes come by id, page by page, of all batches or of one.
pub async fn codes_come_by_id_by_pages(store: Store) {
    for number in [2, 1, 3] {
        let three = CodeBatch {
            count: 3,
            ..batch(number, 5)
        };
        put(&store, &three).await;
    }
    for (of, wanted) in [
        (
            None,
            vec![1001, 1002, 1003, 2001, 2002, 2003, 3001, 3002, 3003],
        ),
        (Some(Uuid::from_u128(2)), vec![2001, 2002, 2003]),
        (Some(Uuid::from_u128(9)), vec![]),
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = CodePage {
                batch: of,
                after,
                limit: 2,
            };
            let found = store.codes(&page).await.expect("reads");
            let Some(last) = found.last() else { break };
            after = Some(last.id);
            seen.extend(found.iter().map(|code| code.id.as_u128()));
        }
        assert_eq!(seen, wanted);
    }
}

/// A revocation keeps its first instant, of a code and of a batch; that of a batch revokes all its codes.
pub async fn a_revocation_of_codes_keeps_its_first_instant(store: Store) {
    let made = batch(1, 0);
    let codes = put(&store, &made).await;
    let others = put(&store, &batch(2, 0)).await;
    let revoked = async |code: &Code| {
        let read = store.code(code.id).await.expect("reads");
        read.expect("is there").revoked_at
    };
    for at in [5, 9] {
        let first = store.revoke_code(codes[0].id, instant(at)).await;
        assert!(first.expect("writes"));
    }
    assert_eq!(revoked(&codes[0]).await, Some(instant(5)));
    assert_eq!(revoked(&codes[1]).await, None);
    for at in [20, 30] {
        let all = store.revoke_code_batch(made.id, instant(at)).await;
        assert!(all.expect("writes"));
    }
    let read = store.code_batch(made.id).await.expect("reads");
    assert_eq!(read.expect("is there").revoked_at, Some(instant(20)));
    assert_eq!(revoked(&codes[0]).await, Some(instant(5)));
    assert_eq!(revoked(&codes[1]).await, Some(instant(20)));
    assert_eq!(revoked(&others[0]).await, None);
    let nothing = Uuid::from_u128(99);
    assert!(!store.revoke_code(nothing, instant(5)).await.expect("looks"));
    let none = store.revoke_code_batch(nothing, instant(5)).await;
    assert!(!none.expect("looks"));
}
