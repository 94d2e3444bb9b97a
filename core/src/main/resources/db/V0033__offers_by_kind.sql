-- What offers are chosen by, read from their bodies once, so that thousands of them need not be.
alter table offer
  add column gpu_model text generated always as (body -> 'gpu' ->> 'model') stored not null,
  add column memory_mib integer generated always as ((body -> 'gpu' ->> 'memoryMib')::integer) stored not null,
  add column gpu_count integer generated always as ((body ->> 'gpuCount')::integer) stored not null,
  add column gpu_count_most integer generated always as ((body ->> 'gpuCountMost')::integer) stored not null,
  add column region text generated always as (body -> 'region' ->> 'code') stored not null,
  add column tier text generated always as (body ->> 'tier') stored not null,
  add column price_per_gpu_hour_micros bigint generated always as ((body -> 'pricePerGpuHour' ->> 'micros')::bigint) stored not null;
create index offer_by_price on offer (gpu_model, tier, price_per_gpu_hour_micros);

-- When each provider was last heard, and how often what it has was not what it had before: servers that find another
-- version than they wrote look afresh at what is there. offer.seen_at and node.seen_at are of the last change.
-- Retention: kept, one row a provider.
create table provider_look (
  provider text primary key,
  seen_at  timestamptz not null,
  version  bigint not null
);

-- What came of offers that were taken: how likely they can be had, and which are hidden for a while, follows from it.
-- Retention: deleted after the longest time that the rules look back, at most some hours.
create table offer_outcome (
  id        bigint generated always as identity primary key,
  provider  text not null,
  offer_id  text not null,
  gpu_model text not null,
  outcome   text not null,
  reason    text not null,
  at        timestamptz not null
);
create index offer_outcome_by_time on offer_outcome (at);
