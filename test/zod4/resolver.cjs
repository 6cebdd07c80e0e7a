/** `zod` of our own files is the newest; n8n's packages keep the one they were made with. */
module.exports = (request, options) => {
	const isOurs = !/[\\/]node_modules[\\/]/.test(`${options.basedir}/`);
	return options.defaultResolver(
		isOurs ? request.replace(/^zod(?=$|\/)/, 'zod4') : request,
		options,
	);
};
