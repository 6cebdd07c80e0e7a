// The first import of a process that runs the nodes' sources with tsx.
import { changeRequests, withNodeSource } from './resolve';

changeRequests((request, parentFile) =>
	parentFile.includes('node_modules') ? request : withNodeSource(request),
);
