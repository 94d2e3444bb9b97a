/**
 * What markets can do beside renting: templates to begin from, and bills to compare ours with.
 *
 * <p>Promises nothing of its own; a provider that has these abilities declares them. Start at
 * {@link gpuaas.spi.market.HasTemplates}.
 */
@NullMarked
package gpuaas.spi.market;

import org.jspecify.annotations.NullMarked;
