-- A kind of GPU has one name, with a space: RTX 4090. What was written as RTX4090 is the same kind.
update lease set gpu_model = regexp_replace(gpu_model, '^(RTX|GTX)([0-9])', '\1 \2'),
                 spec = jsonb_set(spec, '{want,gpuModel}', to_jsonb(regexp_replace(gpu_model, '^(RTX|GTX)([0-9])', '\1 \2')))
 where gpu_model ~ '^(RTX|GTX)[0-9]';
update hold set gpu_model = regexp_replace(gpu_model, '^(RTX|GTX)([0-9])', '\1 \2') where gpu_model ~ '^(RTX|GTX)[0-9]';
update sku set gpu_model = regexp_replace(gpu_model, '^(RTX|GTX)([0-9])', '\1 \2') where gpu_model ~ '^(RTX|GTX)[0-9]';
-- A price that is there under both names stays under both; only the one with a space counts.
update price set gpu_model = regexp_replace(gpu_model, '^(RTX|GTX)([0-9])', '\1 \2')
 where gpu_model ~ '^(RTX|GTX)[0-9]'
   and not exists (select from price other
                    where other.gpu_model = regexp_replace(price.gpu_model, '^(RTX|GTX)([0-9])', '\1 \2')
                      and coalesce(other.sku, '') = coalesce(price.sku, '') and coalesce(other.region, '') = coalesce(price.region, '')
                      and other.tier = price.tier and other.gpu_count_least = price.gpu_count_least and other.from_at = price.from_at);
