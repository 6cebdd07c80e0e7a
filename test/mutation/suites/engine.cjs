require('../combine.cjs')((file) =>
	/^(callback|campaign|contract|create|hostile|trigger|credential|description|leak)/.test(file),
);
