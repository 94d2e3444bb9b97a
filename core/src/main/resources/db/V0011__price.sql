-- What we ask for a GPU and an hour. The most specific price that is in force wins. Retention: kept; a new price is a
-- new row with a later date, so that old bills can be understood.
create table price (
  id                        uuid primary key default gen_random_uuid(),
  sku                       text references sku,
  gpu_model                 text not null,
  region                    text,
  tier                      text not null check (tier in ('ON_DEMAND', 'SPOT')),
  gpu_count_least           integer not null check (gpu_count_least > 0),
  price_per_gpu_hour_micros bigint not null check (price_per_gpu_hour_micros >= 0),
  from_at                   timestamptz not null
);
create unique index price_once on price (coalesce(sku, ''), gpu_model, coalesce(region, ''), tier, gpu_count_least, from_at);

-- Products cost what they cost before; the same on spot, which may be taken back, costs six tenths of it.
insert into price (sku, gpu_model, tier, gpu_count_least, price_per_gpu_hour_micros, from_at)
select sku, gpu_model, tier, 1, case tier when 'SPOT' then price_per_gpu_hour_micros * 6 / 10 else price_per_gpu_hour_micros end, 'epoch'
  from sku cross join (values ('ON_DEMAND'), ('SPOT')) as tiers (tier);

-- Asked by GPU, it costs what its cheapest product costs.
insert into price (gpu_model, tier, gpu_count_least, price_per_gpu_hour_micros, from_at)
select gpu_model, tier, 1, min(price_per_gpu_hour_micros), 'epoch' from price where sku is not null group by gpu_model, tier;
