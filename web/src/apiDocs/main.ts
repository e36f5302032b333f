// The API reference: Swagger UI, from the contract that the gateway serves.
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import 'swagger-ui-dist/swagger-ui.css';
import './page.css';

SwaggerUI({
  dom_id: '#reference',
  url: '/api/v1/openapi.yaml',
  deepLinking: true,
  displayRequestDuration: true,
  // Otherwise an outside host is asked whether the contract is valid.
  validatorUrl: null,
});

const dark = matchMedia('(prefers-color-scheme: dark)');
const followTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followTheme);
followTheme();
