//! More users than an org has places for.

use quota_core::answer::Rejection;
use quota_core::command::{AccountSpec, Command, Presence, PutAccount};
use quota_core::ids::OrgId;
use quota_core::origin::Origin;
use quota_service::{EngineError, Reply};

use super::Store;
use crate::fixtures::user;
use crate::races::{Arena, ask};

/// Whether one joined; the others must hear that there is no place.
fn joined(answer: &Result<Reply, EngineError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(EngineError::Rejected(Rejection::MembersFull { limit, used, .. })) => {
            assert_eq!((*limit, *used), (20, 20));
            false
        }
        Err(EngineError::Busy) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// C12, E38: 20 places and 64 users at once, half of them created in the org and half of them moved into it, on four engines:
/// exactly 20 join, and the org counts them.
pub async fn of_sixty_four_joins_at_once_no_more_pass_than_there_are_places(store: Store) {
    let arena = Arena::open(store, 4).await;
    let acme = arena.org("acme", 100).await;
    let org = OrgId::new("acme").expect("an org id");
    let mut visitors = Vec::new();
    for number in 0..32 {
        visitors.push(arena.visitor(&format!("m{number}")).await);
    }
    let moves = visitors.iter().zip(arena.engines.iter().cycle());
    let moves = moves.map(|(visitor, engine)| {
        let (visitor, engine, org) = (visitor.clone(), engine.clone(), org.clone());
        tokio::spawn(async move {
            let origin = Origin::default();
            engine.move_user(&visitor, Some(&org), None, origin).await
        })
    });
    let moves: Vec<_> = moves.collect();
    let created = (0..32).map(|number| {
        let spec = AccountSpec {
            org: Some(org.clone()),
            ..AccountSpec::default()
        };
        let presence = Presence::New;
        let put = Command::PutAccount(PutAccount { presence, spec });
        ask(&user(&format!("n{number}")), put)
    });
    let mut answers = arena.at_once(created.collect()).await;
    for moved in moves {
        answers.push(moved.await.expect("a mover ends"));
    }
    assert_eq!(answers.len(), 64);
    assert_eq!(answers.iter().filter(|answer| joined(answer)).count(), 20);
    let after = arena.close().await;
    assert_eq!(after.account(&acme).terms.members, 20);
}
