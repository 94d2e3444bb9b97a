package gpuaas.observe;

import java.time.Duration;

/**
 * How what happens in here is seen from outside; each is a setting.
 *
 * @param countEvery how often it is counted what nobody tells of
 */
public record ObserveSettings(LogFormat logFormat, Duration countEvery, Tracing.Rules tracing) {}
