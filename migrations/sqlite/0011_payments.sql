-- Payments of any provider, and the ids by which their providers name them. Nothing of this is ever removed.
create table provider_ids (
    provider text not null,
    mode text not null,
    id text not null,
    account text not null,
    payment text not null,
    constraint provider_ids_key primary key (provider, mode, id)
) strict, without rowid;

-- What a payment buys and what came back of it are JSON.
create table payments (
    account text not null,
    provider text not null,
    mode text not null,
    payment text not null,
    amount integer not null,
    currency text not null,
    paying text not null,
    lines text not null,
    refunds text not null,
    disputes text not null,
    created_at integer not null,
    paid_at integer,
    fetched_at integer not null,
    version integer not null,
    constraint payments_key primary key (account, provider, mode, payment),
    constraint payments_amount_counts check (amount >= 0),
    constraint payments_version_counts check (version > 0)
) strict;

create index payments_by_created on payments (account, created_at, provider, mode, payment);
