-- What was told of a budget in a period, once each. Retention: deleted with the budget; two a month.
create table budget_alert (
  budget_id    uuid not null references budget on delete cascade,
  period_start timestamptz not null,
  level        text not null check (level in ('WARNING', 'EXCEEDED')),
  lease_id     uuid not null,
  at           timestamptz not null,
  primary key (budget_id, period_start, level)
);
