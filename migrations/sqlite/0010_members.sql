-- An org keeps in its terms how many members it has: filled in for the orgs that have some.
update accounts
set terms = substr(rtrim(terms), 1, length(rtrim(terms)) - 1) || ',"members":' || (
    select count(*) from accounts as member where member.home = accounts.home and member.account <> member.home
) || '}'
where account = home and exists (
    select 1 from accounts as member where member.home = accounts.home and member.account <> member.home
);
