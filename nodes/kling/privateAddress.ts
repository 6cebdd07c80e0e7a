/** Also a single word, which only a network's own DNS knows. */
const privateNames =
	/(^|\.)(localhost|localdomain|local|internal|intranet|private|lan|corp|home|test|home\.arpa)\.?$|^[^.:]+$/;
/**
 * IPv4: this host, private (RFC 1918), shared (RFC 6598), loopback, link-local, benchmarks (RFC 2544),
 * multicast and reserved (RFC 5771, 1112).
 */
const privateIpv4 =
	/^(?=[\d.]+$)(?:(0|10|127)\.|100\.(6[4-9]|[79]\d|8\d|1[01]\d|12[0-7])\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.|198\.1[89]\.|2(2[4-9]|[345]\d)\.)/;
/** IPv6: unspecified and loopback, unique local (RFC 4193), link-local, site-local (RFC 3879), multicast. */
const privateIpv6 = /^\[(::1?\]|f[cdf]|fe[89a-f])/;
/** IPv4 inside of IPv6: mapped (RFC 4291), compatible, and translated (RFC 6052). */
const ipv4InIpv6 = /^\[(?:::ffff:|::|64:ff9b::)([\da-f]{1,4}):([\da-f]{1,4})\]$/;

/**
 * Whether an address plainly leads into a private network, in any spelling: `URL` writes decimal,
 * octal and hexadecimal numbers as a usual IPv4 address. Names are not looked up: that is left to
 * n8n's own protection (`N8N_SSRF_PROTECTION_ENABLED`, n8n 2.40).
 */
export function isPrivateAddress(address: string): boolean {
	const { hostname } = new URL(address);
	const [, high, low] = ipv4InIpv6.exec(hostname) ?? [];
	if (high !== undefined) return privateIpv4.test(dotted(parseInt(high, 16), parseInt(low, 16)));
	return privateNames.test(hostname) || privateIpv4.test(hostname) || privateIpv6.test(hostname);
}

function dotted(high: number, low: number): string {
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
