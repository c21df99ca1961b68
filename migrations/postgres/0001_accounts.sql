-- Accounts: one row for each, all its live balances inside. The row of the home's own account guards the home:
-- its version is the sequence of the home's last operation; only there is it above 0. A life is what lies between a
-- home's beginning and its end; a home that comes back goes on counting.
-- Documents are JSON, kept as the text that they were written as: the program reads them whole. Cast them to look into
-- them. What changes with a consume stands last, side by side: that is what the write-ahead log has to carry.
-- The shard is a number from 0 to 63 that the program computes from the home, the same for ever. Where Citus is, tables
-- with a shard are distributed by it, so it is in every key, behind the home. Elsewhere it is only written.

create table accounts (
    home text collate "C" not null,
    shard smallint not null,
    account text collate "C" not null,
    life integer not null default 1,
    terms text not null,
    due_at timestamptz,
    hold_before timestamptz,
    version bigint not null,
    books text not null,
    constraint accounts_pkey primary key (home, account, shard),
    constraint accounts_shard_check check (shard >= 0 and shard < 64),
    constraint accounts_version_check check (version >= 0),
    constraint accounts_guard_check check ((version > 0) = (account = home)),
    -- Nothing is negative and no grant is overdrawn. The names are those of quota_core::balance::Balance. Where no
    -- negative number and no grant occurs there is nothing to look at: that is the common case, and cheap to see.
    constraint accounts_books_check check (
        case when strpos(books, 'grant:') = 0 and (strpos(books, '-') = 0 or books !~ ':\s*-') then true
        else not jsonb_path_exists(
            books::jsonb,
            '$.balances[*] ? (@.u < 0 || @.h < 0 || @.o < 0
                || (@.b starts with "grant:" && (@.g < @.u || @.g < @.u + @.h)))'
        ) end
    )
) with (fillfactor = 70);

-- Lists by id, and what is due. Neither column changes with a consume: updates stay within their page.
create index accounts_account_key on accounts (account, due_at);

-- Where an account lives. A user that is its own home has an entry that names itself, so that two nodes cannot make
-- the same user in two homes. A user that leaves its org is a home once more, in its next life.
create table directory (
    account text collate "C" not null,
    home text collate "C" not null,
    life integer not null default 1,
    constraint directory_pkey primary key (account)
);

-- Balances that left their account's live ones; for reports and refunds.
create table closed_balances (
    home text collate "C" not null,
    shard smallint not null,
    account text collate "C" not null,
    bucket text collate "C" not null,
    balance text not null,
    constraint closed_balances_pkey primary key (home, account, bucket, shard),
    constraint closed_balances_balance_check check (
        not jsonb_path_exists(balance::jsonb, '$ ? (@.u < 0 || @.h < 0 || @.o < 0)')
    )
);
