/** In a project's folder, what a deploy keeps there. */
export const DEPLOY_STATE_DIR = ".warren-deploy";

/** There, the project was deployed: it is in production, whatever its file says of the place where it was written. */
export const DEPLOYED_FILE = `${DEPLOY_STATE_DIR}/deployed.json`;
