/**
 * What can be asked for: products with prices, and the wants that leases carry.
 *
 * <p>Promises that a price is fixed in integers of millionths, and that a product says whether our
 * machines could ever fill it. Start at {@link gpuaas.catalog.Sku}.
 */
@NullMarked
package gpuaas.catalog;

import org.jspecify.annotations.NullMarked;
