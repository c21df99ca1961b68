-- Accounts, each in its home; users of an org have an entry in the directory.
-- The row of a home's own account guards the home: its version is the sequence of the home's last operation.
create table accounts (
    home text not null,
    account text not null,
    org text,
    version integer not null,
    life integer not null,
    hold_before integer,
    operated_at integer,
    terms text not null,
    books text not null,
    due_at integer,
    constraint accounts_key primary key (home, account),
    constraint accounts_version_guards check ((home = account) = (version > 0))
) strict;

-- No column of these changes with a consume.
create index accounts_by_account on accounts (account);
create index accounts_by_org on accounts (org, account) where org is not null;
create index accounts_by_due on accounts (due_at) where due_at is not null;

create table directory (
    account text not null,
    home text not null,
    constraint directory_key primary key (account)
) strict, without rowid;

-- What no rule may book, the table does not take: nothing negative, no grant overdrawn. Where no minus sign and no
-- grant occurs there is nothing to look at: that is the common case, and cheap to see.
create trigger accounts_inserted_books_are_sound after insert on accounts
when (instr(new.books, '-') > 0 or instr(new.books, 'grant:') > 0) and exists (
    select 1 from jsonb_each(new.books, '$.balances') as balance
    where balance.value ->> '$.u' < 0
        or balance.value ->> '$.h' < 0
        or balance.value ->> '$.o' < 0
        or (balance.value ->> '$.b' glob 'grant:*'
            and balance.value ->> '$.u' + coalesce(balance.value ->> '$.h', 0) > balance.value ->> '$.g')
)
begin
    select raise(abort, 'accounts_books_are_sound: a balance is negative or a grant overdrawn');
end;

create trigger accounts_updated_books_are_sound after update of books on accounts
when (instr(new.books, '-') > 0 or instr(new.books, 'grant:') > 0) and exists (
    select 1 from jsonb_each(new.books, '$.balances') as balance
    where balance.value ->> '$.u' < 0
        or balance.value ->> '$.h' < 0
        or balance.value ->> '$.o' < 0
        or (balance.value ->> '$.b' glob 'grant:*'
            and balance.value ->> '$.u' + coalesce(balance.value ->> '$.h', 0) > balance.value ->> '$.g')
)
begin
    select raise(rollback, 'accounts_books_are_sound: a balance is negative or a grant overdrawn');
end;
