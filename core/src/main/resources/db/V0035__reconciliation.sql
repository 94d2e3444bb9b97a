-- Which lease a machine was for; it stays known when the lease has ended. Retention: kept, as leases are.
create table instance_seen (
  provider    text not null,
  instance_id text not null,
  lease_id    uuid not null references lease,
  first_seen  timestamptz not null,
  primary key (provider, instance_id)
);
create index instance_seen_by_lease on instance_seen (lease_id, first_seen);

-- Those that were there before: a machine is at the place that was taken last before it was named.
insert into instance_seen (provider, instance_id, lease_id, first_seen)
select placed.details ->> 'provider', booting.details ->> 'instance', booting.lease_id, booting.at
  from event booting
  cross join lateral (select details from event
                       where lease_id = booting.lease_id and type = 'lease.placed' and sequence < booting.sequence
                       order by sequence desc limit 1) placed
 where booting.type = 'lease.booting' and placed.details ->> 'provider' is not null and booting.details ->> 'instance' is not null
 order by booting.at
on conflict do nothing;

-- Days, in UTC, whose charges a market was asked for. Retention: kept; one a day and market.
create table market_day (
  provider   text not null,
  day        date not null,
  asked_at   timestamptz, -- when the answer was asked for that counts
  problem    text,        -- why the last answer does not count
  primary key (provider, day)
);

-- What a machine has cost on a day, by our bill and by the market's. Retention: kept.
create table machine_day (
  provider          text not null,
  day               date not null,
  instance_id       text not null,
  lease_id          uuid, -- none: the market charges for a machine that no lease of ours knows
  ours_micros       bigint not null,
  theirs_micros     bigint not null,
  difference_micros bigint not null check (difference_micros = theirs_micros - ours_micros),
  postings          integer not null, -- how often the ledger was told; names the next transfer
  primary key (provider, day, instance_id)
);
create index machine_day_by_day on machine_day (day, provider, instance_id);

-- The platform's own accounts: what markets charged beyond our bills, and where that comes from.
alter table account drop constraint account_kind_check;
alter table account add constraint account_kind_check
  check (kind in ('funding', 'funds', 'held', 'revenue', 'market', 'market_difference'));
alter table transfer drop constraint transfer_kind_check;
alter table transfer add constraint transfer_kind_check
  check (kind in ('credit', 'hold', 'usage', 'void', 'correction', 'difference'));
