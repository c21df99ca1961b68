-- An org keeps in its terms how many members it has: filled in for the orgs that have some.
update accounts as org
set terms = left(rtrim(org.terms), -1) || ',"members":' || counted.members || '}'
from (
    select home, shard, count(*) as members
    from accounts
    where account <> home
    group by home, shard
) as counted
where org.home = counted.home and org.shard = counted.shard and org.account = org.home;
