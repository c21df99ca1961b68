-- Payments of any provider, and the ids by which their providers name them. Nothing of this is ever removed.
-- A payment lies in the shard of its account: of the account itself, so that it stays where it is when a user moves to
-- another home. An id lies in the shard that the program computes from provider, mode and id, so that its first claim is
-- one guarded insert.

create table provider_ids (
    provider text collate "C" not null,
    mode text collate "C" not null,
    id text collate "C" not null,
    shard smallint not null,
    account text collate "C" not null,
    payment text collate "C" not null,
    constraint provider_ids_pkey primary key (provider, mode, id, shard),
    constraint provider_ids_shard_check check (shard >= 0 and shard < 64)
);

-- What a payment buys and what came back of it are JSON, kept as the text that they were written as.
create table payments (
    account text collate "C" not null,
    shard smallint not null,
    provider text collate "C" not null,
    mode text collate "C" not null,
    payment text collate "C" not null,
    amount bigint not null,
    currency text not null,
    paying text not null,
    lines text not null,
    refunds text not null,
    disputes text not null,
    created_at timestamptz not null,
    paid_at timestamptz,
    fetched_at timestamptz not null,
    version bigint not null,
    constraint payments_pkey primary key (account, provider, mode, payment, shard),
    constraint payments_shard_check check (shard >= 0 and shard < 64),
    constraint payments_amount_check check (amount >= 0),
    constraint payments_version_check check (version > 0)
);

create index payments_created_key on payments (account, created_at, provider, mode, payment);
