const copyAddress = 'Right-click the image on that page, copy the image address, and enter it.';
const download =
	'Download the image, for example with the HTTP Request node, and set Image Input to Binary File.';
const signIn =
	'It only opens for people who are signed in. Download it with the node for that service, and set Image Input to Binary File.';
const drive =
	'Enter the direct link: for Google Drive, https://drive.google.com/uc?export=download&id= followed by the file ID. Share the file with anyone who has the link.';
const microsoft =
	'Add download=1 to the query of the link, or download the file with the Microsoft OneDrive node and set Image Input to Binary File.';

/** Sites whose own host has only pages: their pictures are on other hosts. */
const pagesOnly =
	/^((www|m|mobile|web|old|new|vm|[a-z]{2}|[a-z]{2}-[a-z]{2})\.)?(facebook\.com|fb\.(com|me|watch)|(x|twitter)\.com|tiktok\.com|pinterest\.[a-z.]{2,6}|pin\.it|reddit\.com|redd\.it|linkedin\.com|lnkd\.in|youtube\.com|youtu\.be|weibo\.c(om|n)|xiaohongshu\.com|threads\.(net|com)|bsky\.app|500px\.com|deviantart\.com|behance\.net|dribbble\.com|artstation\.com|flic\.kr|photos\.google\.com|(photos|images)\.app\.goo\.gl|share\.google)$/;

/**
 * Addresses of pages, folders and files behind a sign-in: host, path with query, and what to enter
 * instead. Each row is based on the service's Share and Copy Link buttons and on its help pages, as of
 * November 2026. Anything else passes: only what is definitely not a picture is refused.
 */
const pages: Array<[host: RegExp, page: RegExp, advice: string]> = [
	[pagesOnly, /./, copyAddress],
	// developers.google.com/workspace/drive/api/guides/manage-downloads: uc and thumbnail give the file.
	[/^drive\.google\.com$/, /^\/(?!(a\/[^/]+\/|u\/\d+\/)?(uc|thumbnail)\b)/, drive],
	[/^docs\.google\.com$/, /^\/(a\/[^/]+\/|u\/\d+\/)?(file|document|forms)\//, drive],
	// Drawings, slides and charts can be exported as PNG too.
	[
		/^docs\.google\.com$/,
		/\/d\/[^/]+(\/(edit|view|preview|htmlview|copy)\b|\/?(\?|$))/,
		'Export it as PNG or JPEG, and enter that address.',
	],
	[/^www\.googleapis\.com$/, /^\/drive\/v\d\/files\/(?!.*[?&]key=)/, signIn],
	[/^goo\.gl$/, /^\/photos\//, copyAddress],
	[/^((www|images)\.)?google\.[a-z.]{2,6}$/, /^\/(imgres|search|imghp|url)\b/, copyAddress],
	[/^((www|cn)\.)?bing\.com$/, /^\/images\//, copyAddress],
	[/^(www\.)?yandex\.[a-z.]{2,6}$/, /^\/images\//, copyAddress],
	[/^(www\.)?duckduckgo\.com$/, /^\/(\?|$)/, copyAddress],
	// help.dropbox.com/share/force-download: raw=1 or dl=1 gives the file, a folder comes as an archive.
	[
		/^(www\.)?dropbox\.com$/,
		/^(?!\/temp_thumb_from_token\/)(?!.*[?&](raw|dl)=(?!0|false|&|$))|^\/(sh|scl\/fo)\/[^/?]+\/[^/?]+\/?(\?|$)/,
		'Enter the direct link: for Dropbox, share the file itself and enter its link with raw=1 instead of dl=0.',
	],
	// OneDrive's Embed gives a picture's address as 1drv.ms with a width.
	[/^1drv\.ms$/, /^(?!.*[?&](width|height|download)=)/, microsoft],
	[
		/^((www|photos)\.)?onedrive\.(live\.)?com$/,
		/^\/(?!(download|embed)\b)(?!.*[?&]download=1)/,
		microsoft,
	],
	[
		/\.sharepoint\.(com|cn|us)$/,
		/^(?!.*[?&]download=1)\/(:[a-z]:\/|.*\/_layouts\/15\/(onedrive|doc|viewer|stream)\.aspx)/i,
		microsoft,
	],
	[
		/^(graph\.microsoft\.com|gmail\.googleapis\.com|photoslibrary\.googleapis\.com|content\.dropboxapi\.com|api\.(openai|airtable|box|notion|figma)\.com)$/,
		/./,
		signIn,
	],
	// cloud.google.com/storage/docs/request-endpoints: needs a sign-in; storage.googleapis.com does not.
	[/^(storage|console)\.cloud\.google\.com$|\.console\.aws\.amazon\.com$/, /./, signIn],
	[/^(mail|chat|keep)\.google\.com$/, /./, signIn],
	[/^(web|www)\.whatsapp\.com$|^wa\.me$/, /./, download],
	[/^(www\.)?(chatgpt\.com|chat\.openai\.com|midjourney\.com)$/, /./, copyAddress],
	// firebase.google.com/docs/storage: without it, the response is JSON about the file.
	[
		/^firebasestorage\.googleapis\.com$/,
		/^\/v0\/b\/[^/]+\/o\/(?!.*[?&]alt=media\b)/,
		'Add alt=media to the query of the address.',
	],
	// supabase.com/docs/guides/storage/serving/downloads: “authenticated” asks for a header.
	[
		/\.supabase\.(co|in)$/,
		/^\/storage\/v1\/object\/authenticated\//,
		'Enter the public address of the file, or a signed one (Create signed URL).',
	],
	// core.telegram.org/bots/api#getfile: methods answer with JSON; the file is under /file.
	[
		/^api\.telegram\.org$/,
		/^\/bot[^/]+\//,
		'Download the file with the Telegram node, and set Image Input to Binary File.',
	],
	// developers.facebook.com/docs/graph-api: a node is JSON, its edge “picture” the image.
	[/^graph\.facebook\.com$/, /^(?!.*\/picture\b)/, download],
	[/^trello\.com$/, /./, signIn],
	// support.apple.com/guide/icloud: links of iCloud Photos and iCloud Drive open a page.
	[/^((www|share|photos|beta)\.)?icloud\.com$/, /./, download],
	[/^((www|m)\.)?instagram\.com$/, /^(?!\/p\/[^/]+\/media\b)/, download],
	// developers.facebook.com/docs/whatsapp/cloud-api/reference/media: each download needs the token.
	[/^lookaside\.fbsbx\.com$/, /^\/whatsapp_business\//, signIn],
	[/^((www|m)\.)?vk\.com$/, /^\/(photo|album|wall)/, copyAddress],
	[/^(t|telegram)\.me$/, /^\/(?!i\/)/, download],
	[/^((www|ptb|canary)\.)?discord\.com$/, /^\/channels\//, copyAddress],
	[
		/^((www|m)\.)?imgur\.com$/,
		/^\/(?!download\/)(?!.*\.(jpe?g|png)\b)/i,
		'Enter the address that starts with https://i.imgur.com and ends in .jpg or .png.',
	],
	[/^((www|m)\.)?flickr\.com$/, /^\/(photos|gp|p)\//, copyAddress],
	[/^(www\.)?(unsplash|pexels)\.com$/, /^(?!.*\/download\b)(?!.*\.(jpe?g|png)\b)/i, copyAddress],
	[/^(www\.)?pixabay\.com$/, /^(\/[a-z]{2})?\/(?!get\/|images\/download\/|api\/)/, copyAddress],
	[/^(www\.)?shutterstock\.com$/, /^(\/[a-z-]{2,5})?\/(image-|search|g\/)/, copyAddress],
	[
		/^(www\.)?(gettyimages\.[a-z.]{2,6}|istockphoto\.com)$/,
		/^(\/[a-z]{2})?\/(detail|photos?|fotos?|search)\//,
		copyAddress,
	],
	[/^stock\.adobe\.com$/, /^(\/[a-z]{2})?\/(images|search|stock-photo)/, copyAddress],
	[
		/^(www\.)?(postimg\.cc|postimages\.org|ibb\.co|imgbb\.com|gyazo\.com|prnt\.sc|freeimage\.host|imgbox\.com)$/,
		/^(?!.*\.(jpe?g|png)\b)/i,
		copyAddress,
	],
	// commons.wikimedia.org/wiki/Commons:FAQ: File:cat.jpg is the page of a file; Special:FilePath/cat.jpg gives it.
	[
		/(^|\.)(wikipedia|wikimedia|wiktionary)\.org$/,
		/^\/wiki\/(?![^/:]+:[^/]+\/)/,
		'Enter the address of the file, which starts with https://upload.wikimedia.org.',
	],
	// docs.github.com: “blob” is the page around a file, “raw” the file. Others have adopted these words.
	[
		/^((www|gist)\.)?github\.com$/,
		/^\/[^/]+\/[^/]+\/(blob|tree)\/(?!.*[?&]raw=(1|true)\b)/,
		'On GitHub, choose Raw and enter that address.',
	],
	[/^gitlab\.com$/, /\/-\/(blob|tree)\//, 'On GitLab, choose Open Raw and enter that address.'],
	[/^huggingface\.co$/, /\/(blob|tree)\//, 'Enter the same address with resolve instead of blob.'],
	// support.box.com: a shared link opens a page; its settings have a direct link, under /shared/static/.
	[
		/^([\w-]+\.)*box\.com$/,
		/^\/(s|v|file|folder)\//,
		'In Box, open the settings of the shared link and enter its direct link.',
	],
	[/^((www\.)?wetransfer\.com|we\.tl|mega\.nz|pan\.baidu\.com|gofile\.io)$/, /./, download],
	[/^(www\.)?mediafire\.com$/, /^\/(file|view|folder)\//, download],
	[/^(www\.)?(1024)?terabox\.com$/, /./, download],
	[/^(disk\.yandex\.[a-z.]{2,6}|yadi\.sk)$/, /./, download],
	[/^[\w-]+\.pcloud\.(com|link)$/, /^\/publink\//, download],
	[/^(www\.)?amazon\.[a-z.]{2,6}$/, /^\/(photos|clouddrive)\//, download],
	[/^tmpfiles\.org$/, /^\/(?!dl\/)/, 'Enter the same address with /dl/ after tmpfiles.org.'],
	// docs.slack.dev: url_private needs a token, a permalink needs a person.
	[/^files\.slack\.com$/, /^\/files-(pri|tmb)\/(?!.*[?&]pub_secret=)/, signIn],
	[/^(?!files\.|a\.)[\w-]+\.slack\.com$|^slack-files\.com$/, /./, signIn],
	[/^(www\.)?canva\.com$/, /^\/(design|folder)\//, download],
	[/^(www\.)?figma\.com$/, /^\/(file|design|proto|board|slides)\//, download],
	[/^((www\.)?notion\.so|[\w-]+\.notion\.site)$/, /^\/(?!(image|signed|f)\/)/, copyAddress],
	[/^(www\.)?airtable\.com$/, /./, signIn],
	// n8n shows the files of executions only in its own editor.
	[
		/./,
		/\/rest\/binary-data(?!\/signed)\b/,
		'Set Image Input to Binary File, and enter the name of the field that holds the file.',
	],
];

const convert = 'Convert the image, or enter the address of a JPEG or PNG version of it.';
const noImage = 'Enter the address of a JPEG or PNG image.';

/** Extensions of other formats. Scripts do not count: they can return anything. */
const endings: Array<[ending: RegExp, what: string, advice: string]> = [
	[/^(x?html?|mht(ml)?)$/, 'a page', copyAddress],
	[
		/^(webp|gif|bmp|tiff?|hei[cf]|avif|svgz?|ico|jxl|jxr|jp2|j2k|psd|eps|exr|tga|dds|wmf|emf|p[pgb]m|xcf|indd)$/,
		'another format',
		convert,
	],
	[/^(cr[23]|nef|arw|dng|raf|orf|rw2|srw|pef|sr2|x3f)$/, 'a camera raw file', convert],
	[/^pdf$/, 'a PDF document', convert],
	[/^(mp4|mov|m4v|webm|mkv|avi|mpe?g|3gp|wmv|flv|m3u8|mts|m2ts|ogv|vob)$/, 'a video', noImage],
	[/^(mp3|wav|m4a|aac|ogg|opus|flac|aiff?|amr|wma)$/, 'an audio file', noImage],
	[/^(docx?|xlsx?|pptx?|odt|ods|rtf|csv|txt|json|xml|md|odp|pages|epub)$/, 'a document', noImage],
	[/^(zip|rar|7z|tgz|tar|gz|bz2|xz)$/, 'an archive', 'Unpack it first with the Compression node.'],
];

/** Image servers convert a picture to what the query or a part of the path asks for. */
const asksForOther =
	/\?.*(?<![a-z\d])(jpe?g|jfif|png|auto=format|format=auto)(?![a-z\d])|[/,;:](f|fm|format|output|ext)[_:=(/-](jpe?g|png|auto)\b/i;
/** Discord's Copy Link asks for WebP, whatever the file is (github.com/qsniyg/maxurl issue 1278). */
const giveWhatIsAsked = /^(media\.discordapp\.net|pbs\.twimg\.com)$/;
/** Another address in the path: its extension says what a service reads, not what it returns. */
const holdsAnother = /\/https?(:|%3a)/i;

/**
 * What an address leads to if it is definitely not a JPEG or PNG image, phrased to follow “is the address
 * of”, and what to enter instead; null for any other address.
 */
export function foreignAddress(address: URL): { what: string; advice: string } | null {
	const host = address.hostname.replace(/\.$/, '');
	const target = `${address.pathname}${address.search}`;
	const page = pages.find(([hosts, paths]) => hosts.test(host) && paths.test(target));
	if (page) return { what: 'a page, not of an image', advice: page[2] };
	const [, asked] = (giveWhatIsAsked.test(host) && /[?&]format=(\w+)/.exec(address.search)) || [];
	const ending = asked ?? /\.(\w{2,5})$/.exec(address.pathname.toLowerCase())?.[1];
	const row = ending === undefined ? undefined : endings.find(([one]) => one.test(ending));
	if (!row || asksForOther.test(target) || holdsAnother.test(target)) return null;
	const [, what, usual] = row;
	const advice = asked
		? `Enter the same address with format=png instead of format=${asked}.`
		: usual;
	return { what: `${what} (.${ending}), not of a JPEG or PNG image`, advice };
}

/**
 * Also single words, which only a network's own DNS knows, names that no public DNS has (RFC 7686, RFC
 * 9476, and those of Kubernetes), and public names that lead to this host.
 */
const privateNames =
	/(^|\.)(localhost|localdomain|local|internal|intranet|private|lan|corp|home|test|home\.arpa|onion|alt|svc|fritz\.box|lvh\.me|localtest\.me)\.?$|^[^.:]+$/;
/** Names that resolve to the address in them (nip.io, sslip.io): 10.0.0.1.nip.io, app-10-0-0-1.sslip.io. */
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
 * Whether an address clearly points to a private network, in any notation: `URL` turns decimal, octal and
 * hexadecimal numbers into a normal IPv4 address. Names are not resolved: that is left to n8n's own
 * protection (`N8N_SSRF_PROTECTION_ENABLED`, n8n 2.40).
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
