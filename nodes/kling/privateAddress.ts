/**
 * Also a single word, which only a network's own DNS knows, names that no public DNS has (RFC 7686, RFC 9476,
 * and those of Kubernetes), and public ones that lead to this host.
 */
const privateNames =
	/(^|\.)(localhost|localdomain|local|internal|intranet|private|lan|corp|home|test|home\.arpa|onion|alt|svc|fritz\.box|lvh\.me|localtest\.me)\.?$|^[^.:]+$/;
/** Names that lead to the address in them (nip.io, sslip.io): 10.0.0.1.nip.io, app-10-0-0-1.sslip.io. */
const ipv4InName =
	/(?:^|[.-])(\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3})\.(?:nip|sslip|xip)\.io\.?$/;
/**
 * IPv4: this host, private (RFC 1918), shared (RFC 6598), loopback, link-local, benchmarks (RFC 2544),
 * multicast and reserved (RFC 5771, 1112).
 */
const privateIpv4 =
	/^(?=[\d.]+$)(?:(0|10|127)\.|100\.(6[4-9]|[79]\d|8\d|1[01]\d|12[0-7])\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.|198\.1[89]\.|2(2[4-9]|[345]\d)\.)/;
/** IPv6: unspecified and loopback, unique local (RFC 4193), link-local, site-local (RFC 3879), multicast. */
const privateIpv6 = /^\[(::1?\]|f[cdf]|fe[89a-f])/;
/** IPv4 inside of IPv6: mapped (RFC 4291), compatible, translated (RFC 6052, RFC 8215), and 6to4 (RFC 3056). */
const ipv4InIpv6 =
	/^\[(?:::ffff:|::|64:ff9b:(?::|1:[\da-f:]*:))([\da-f]{1,4}):([\da-f]{1,4})\]$|^\[2002:([\da-f]{1,4}):([\da-f]{1,4}):/;

/**
 * Whether an address plainly leads into a private network, in any spelling: `URL` writes decimal,
 * octal and hexadecimal numbers as a usual IPv4 address. Names are not looked up: that is left to
 * n8n's own protection (`N8N_SSRF_PROTECTION_ENABLED`, n8n 2.40).
 */
export function isPrivateAddress(address: string): boolean {
	const { hostname } = new URL(address);
	const [high, low] = ipv4InIpv6.exec(hostname)?.slice(1).filter(Boolean) ?? [];
	if (high !== undefined) return privateIpv4.test(dotted(parseInt(high, 16), parseInt(low, 16)));
	const [, inName] = ipv4InName.exec(hostname) ?? [];
	if (inName !== undefined) return privateIpv4.test(inName.replaceAll('-', '.'));
	return privateNames.test(hostname) || privateIpv4.test(hostname) || privateIpv6.test(hostname);
}

function dotted(high: number, low: number): string {
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
