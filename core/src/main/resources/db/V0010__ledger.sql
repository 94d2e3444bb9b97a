-- Where money is: four accounts for each tenant and currency. Retention: kept.
create table account (
  id        uuid primary key, -- follows from the other columns
  tenant_id uuid not null,
  kind      text not null check (kind in ('funding', 'funds', 'held', 'revenue')),
  currency  text not null check (currency ~ '^[A-Z]{3}$'),
  unique (tenant_id, kind, currency)
);

-- Money moves: one row is two entries, out of the debit account and into the credit account, so that all
-- entries add up to nothing. Only ever added to; what was wrong is put right by another transfer. Retention: kept.
-- That the accounts exist is seen by the balances, which the same statement writes.
create table transfer (
  id             uuid primary key,
  tenant_id      uuid not null,
  debit_account  uuid not null,
  credit_account uuid not null,
  amount_micros  bigint not null check (amount_micros > 0),
  kind           text not null check (kind in ('credit', 'hold', 'usage', 'void', 'correction')),
  lease_id       uuid,
  at             timestamptz not null,
  reason         text not null check (length(reason) <= 500),
  check (debit_account <> credit_account)
);
create index transfer_by_lease on transfer (lease_id) where lease_id is not null;
create index transfer_by_tenant on transfer (tenant_id, at);

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is only ever added to; put a mistake right by another transfer';
end $$;
create trigger transfer_append_only before update or delete or truncate on transfer
  for each statement execute function refuse_ledger_change();

-- The entries of an account added up, in stripes: whoever writes takes the stripe of its connection, so that many
-- can pay from one account at once. Written only in the statement that writes the transfer. Retention: kept.
create table balance (
  account_id uuid not null references account,
  stripe     integer not null,
  micros     bigint not null,
  primary key (account_id, stripe)
) with (fillfactor = 50);

-- What is set aside for a lease, and what it has cost: one row a lease, for bills and budgets. Retention: kept.
create table hold (
  lease_id                  uuid primary key,
  tenant_id                 uuid not null,
  project_id                uuid not null,
  api_key_id                uuid,
  gpu_model                 text not null,
  gpu_count                 integer not null check (gpu_count > 0),
  price_per_gpu_hour_micros bigint not null check (price_per_gpu_hour_micros >= 0),
  currency                  text not null,
  made_at                   timestamptz not null,
  held_micros               bigint not null check (held_micros >= 0),
  cost_micros               bigint not null check (cost_micros >= 0),
  refills                   integer not null,
  started_at                timestamptz,
  used_to                   timestamptz,
  closed_at                 timestamptz,
  warned                    integer not null default 0,
  check ((started_at is null) = (used_to is null)),
  check (closed_at is null or held_micros = 0)
);
create index hold_by_project on hold (project_id, used_to);
create index hold_by_tenant on hold (tenant_id, used_to);
create index hold_by_key on hold (api_key_id) where api_key_id is not null;
create index hold_open on hold (tenant_id) where closed_at is null;

-- Leases that were there before: they cost what they cost, and nothing was set aside for them.
insert into hold (lease_id, tenant_id, project_id, api_key_id, gpu_model, gpu_count, price_per_gpu_hour_micros, currency,
                  made_at, held_micros, cost_micros, refills, started_at, used_to, closed_at)
select lease.id, tenant_id, project_id, api_key_id, gpu_model, lease.gpu_count, lease.price_per_gpu_hour_micros, 'USD',
       made_at, 0, 0, 0, used.started_at, used.used_to, case when state in ('stopping', 'ended') then coalesce(ended_at, since) end
  from lease
  left join lateral (select min(from_at) as started_at, max(to_at) as used_to from usage where lease_id = lease.id) used on true;
update hold set started_at = lease.since, used_to = lease.metered_to
  from lease where lease.id = hold.lease_id and lease.state = 'running' and hold.started_at is null;

-- What a row of use costs, in whole seconds since the start; and what proves its start and its end.
alter table usage rename column evidence to end_evidence;
alter table usage
  alter column end_evidence type jsonb using jsonb_build_object('proof', 'INSPECTED', 'at', to_at, 'reference', end_evidence),
  add column start_evidence jsonb,
  add column seconds        bigint,
  add column cost_micros    bigint;
update usage set start_evidence = jsonb_build_object('proof', 'INSPECTED', 'at', from_at, 'reference', ''), seconds = 0, cost_micros = 0;
alter table usage
  alter column start_evidence set not null,
  alter column seconds set not null,
  alter column cost_micros set not null,
  add check (seconds >= 0 and cost_micros >= 0);
