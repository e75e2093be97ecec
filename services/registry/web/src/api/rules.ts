// Made by `python tools/web_api.py` from the API's OpenAPI document: not to be edited.

import type { Rule } from "./rule";

export const rules: Record<string, Record<string, Rule>> = {
 "BasicUsersUpdate": {
  "users": {
   "type": "object",
   "required": true
  }
 },
 "ClientCertificatesBody": {
  "authorities": {
   "type": "string",
   "minLength": 1,
   "maxLength": 65536,
   "required": true
  },
  "user": {
   "type": "string"
  },
  "names": {
   "type": "array",
   "maxItems": 1000
  }
 },
 "CorsBody": {
  "origins": {
   "type": "array",
   "maxItems": 50,
   "required": true
  },
  "methods": {
   "type": "array",
   "maxItems": 20
  },
  "headers": {
   "type": "array",
   "maxItems": 50
  },
  "exposed": {
   "type": "array",
   "maxItems": 50
  },
  "credentials": {
   "type": "boolean"
  },
  "max_age": {
   "type": "integer",
   "minimum": 0,
   "maximum": 86400
  }
 },
 "DataPoint": {
  "date": {
   "type": "string",
   "required": true
  },
  "value": {
   "type": "number",
   "required": true
  }
 },
 "DeploymentCreate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9_-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits, dashes and underscores, starting with a letter",
   "required": true
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "supports_request_format": {
   "type": "boolean"
  },
  "input_type": {
   "type": "string",
   "pattern": "^(structured|plain)$"
  },
  "output_type": {
   "type": "string",
   "pattern": "^(structured|plain)$"
  },
  "input_fields": {
   "type": "array"
  },
  "output_fields": {
   "type": "array"
  },
  "labels": {
   "type": "object"
  }
 },
 "DeploymentUpdate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9_-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits, dashes and underscores, starting with a letter"
  },
  "default_version": {
   "type": "string"
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "input_fields": {
   "type": "array"
  },
  "output_fields": {
   "type": "array"
  },
  "labels": {
   "type": "object"
  }
 },
 "DomainCreate": {
  "host": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024,
   "required": true
  }
 },
 "EnvironmentVariableCopy": {
  "source_deployment": {
   "type": "string",
   "minLength": 1,
   "required": true
  },
  "source_version": {
   "type": "string",
   "minLength": 1
  }
 },
 "EnvironmentVariableCreate": {
  "name": {
   "type": "string",
   "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
   "required": true
  },
  "value": {
   "type": "string",
   "maxLength": 65536
  },
  "secret": {
   "type": "boolean"
  }
 },
 "FieldCreate": {
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "data_type": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "widget": {}
 },
 "HealthCheckBody": {
  "port": {
   "type": "integer",
   "minimum": 1,
   "maximum": 65535
  },
  "path": {
   "type": "string"
  },
  "interval": {
   "type": "integer",
   "minimum": 1,
   "maximum": 3600
  },
  "timeout": {
   "type": "integer",
   "minimum": 1,
   "maximum": 3600
  },
  "failure_threshold": {
   "type": "integer",
   "minimum": 1,
   "maximum": 100
  },
  "type": {
   "type": "string",
   "enum": [
    "http",
    "tcp",
    "grpc"
   ]
  },
  "success_threshold": {
   "type": "integer",
   "minimum": 1,
   "maximum": 100
  },
  "method": {
   "type": "string",
   "pattern": "^(GET|HEAD)$"
  },
  "headers": {
   "type": "object"
  },
  "expected_status": {
   "type": "string"
  },
  "tls": {
   "type": "boolean"
  },
  "tls_verify": {
   "type": "boolean"
  },
  "tls_ca": {
   "type": "string",
   "maxLength": 65536
  },
  "tls_name": {
   "type": "string",
   "maxLength": 253
  },
  "grpc_service": {
   "type": "string",
   "pattern": "^([A-Za-z_][A-Za-z0-9_.]{0,255})?$"
  }
 },
 "InstanceCreate": {
  "address": {
   "type": "string",
   "required": true
  },
  "port": {
   "type": "integer",
   "minimum": 1,
   "maximum": 65535
  },
  "weight": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000
  },
  "lease_seconds": {
   "type": "integer",
   "minimum": 1,
   "maximum": 86400
  },
  "metadata": {
   "type": "object"
  },
  "identity": {
   "type": "string"
  }
 },
 "InstanceUpdate": {
  "status": {
   "type": "string",
   "pattern": "^stopped$",
   "required": true
  }
 },
 "JwtBody": {
  "issuer": {
   "type": "string",
   "maxLength": 1024,
   "required": true
  },
  "audience": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256,
   "required": true
  },
  "keys_url": {
   "type": "string",
   "maxLength": 1024
  },
  "user_claim": {
   "type": "string",
   "pattern": "^[!-~]{1,128}$"
  },
  "required_claims": {
   "type": "object"
  },
  "roles": {
   "type": "array",
   "maxItems": 100
  }
 },
 "LeaseRenewal": {
  "note": {
   "type": "string",
   "maxLength": 400
  }
 },
 "MetricCreate": {
  "name": {
   "type": "string",
   "required": true
  },
  "metric_type": {
   "type": "string",
   "pattern": "^(delta|gauge)$",
   "required": true
  },
  "unit": {
   "type": "string",
   "maxLength": 32
  },
  "labels": {
   "type": "array",
   "maxItems": 20
  },
  "description": {
   "type": "string",
   "maxLength": 400
  }
 },
 "MetricUpdate": {
  "name": {
   "type": "string"
  },
  "metric_type": {
   "type": "string",
   "pattern": "^(delta|gauge)$"
  },
  "unit": {
   "type": "string",
   "maxLength": 32
  },
  "labels": {
   "type": "array",
   "maxItems": 20
  },
  "description": {
   "type": "string",
   "maxLength": 400
  }
 },
 "OAuthCode": {
  "code": {
   "type": "string",
   "required": true
  },
  "provider": {
   "type": "string",
   "required": true
  }
 },
 "OrganizationCreate": {
  "name": {
   "type": "string",
   "required": true
  },
  "subscription": {
   "type": "string"
  },
  "subscription_start_date": {
   "type": "string"
  },
  "subscription_end_date": {
   "type": "string"
  },
  "two_factor_authentication_forced": {
   "type": "boolean"
  },
  "voucher": {
   "type": "string"
  }
 },
 "OrganizationUpdate": {
  "name": {
   "type": "string"
  },
  "subscription": {
   "type": "string"
  },
  "subscription_start_date": {
   "type": "string"
  },
  "subscription_end_date": {
   "type": "string"
  },
  "two_factor_authentication_forced": {
   "type": "boolean"
  }
 },
 "OrganizationUserCreate": {
  "email": {
   "type": "string",
   "required": true
  },
  "admin": {
   "type": "boolean"
  }
 },
 "OrganizationUserUpdate": {
  "admin": {
   "type": "boolean"
  }
 },
 "PersonUpdate": {
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "surname": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "password": {
   "type": "string",
   "minLength": 8,
   "maxLength": 128
  },
  "administrator": {
   "type": "boolean"
  }
 },
 "ProjectCreate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter",
   "required": true
  },
  "organization_name": {
   "type": "string",
   "minLength": 1,
   "required": true
  },
  "advanced_permissions": {
   "type": "boolean"
  },
  "credits": {
   "type": "number"
  },
  "cors_origins": {
   "type": "array"
  },
  "labels": {
   "type": "object"
  }
 },
 "ProjectUpdate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"
  },
  "advanced_permissions": {
   "type": "boolean"
  },
  "credits": {
   "type": "number"
  },
  "suspend": {
   "type": "boolean"
  },
  "cors_origins": {
   "type": "array"
  },
  "labels": {
   "type": "object"
  }
 },
 "ProjectUserCreate": {
  "user_id": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  }
 },
 "RehearsalCreate": {
  "hosts": {
   "type": "array"
  }
 },
 "RequestStatusUpdate": {
  "status": {
   "type": "string",
   "pattern": "^(cancelled|cancelled_pending)$",
   "required": true
  }
 },
 "RoleAssignmentCreate": {
  "role": {
   "type": "string",
   "minLength": 1,
   "maxLength": 254,
   "required": true
  },
  "assignee": {
   "type": "string",
   "minLength": 1,
   "maxLength": 254,
   "required": true
  },
  "assignee_type": {
   "type": "string",
   "pattern": "^(user|deployment)$"
  },
  "resource": {
   "type": "string",
   "minLength": 1,
   "maxLength": 254
  },
  "resource_type": {
   "type": "string",
   "maxLength": 64
  }
 },
 "RoleClaimBody": {
  "role": {
   "type": "string",
   "minLength": 1,
   "maxLength": 128,
   "required": true
  },
  "claim": {
   "type": "string",
   "pattern": "^[!-~]{1,128}$",
   "required": true
  },
  "values": {
   "type": "array",
   "maxItems": 100,
   "required": true
  }
 },
 "RoleCreate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter",
   "required": true
  },
  "permissions": {
   "type": "array",
   "maxItems": 500,
   "required": true
  }
 },
 "RoleUpdate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"
  },
  "permissions": {
   "type": "array",
   "maxItems": 500
  }
 },
 "RolloutCreate": {
  "version": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "steps": {
   "type": "array",
   "maxItems": 50,
   "required": true
  },
  "gates": {},
  "sticky": {
   "type": "string"
  }
 },
 "RolloutGates": {
  "max_error_rate": {
   "type": "number",
   "minimum": 0,
   "maximum": 1
  },
  "max_p95_ms": {
   "type": "number",
   "maximum": 1000000.0,
   "exclusiveMinimum": 0
  },
  "min_requests": {
   "type": "integer",
   "minimum": 0,
   "maximum": 1000000
  }
 },
 "RolloutStep": {
  "weight": {
   "type": "number",
   "maximum": 100,
   "exclusiveMinimum": 0,
   "required": true
  },
  "hold_s": {
   "type": "number",
   "minimum": 1,
   "maximum": 604800
  }
 },
 "RolloutUpdate": {
  "state": {
   "type": "string"
  },
  "step": {
   "type": "integer",
   "minimum": 1,
   "maximum": 50
  }
 },
 "SeriesData": {
  "metric": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "labels": {
   "type": "object"
  },
  "data": {
   "type": "array",
   "maxItems": 10000,
   "required": true
  }
 },
 "ServiceCreate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter",
   "required": true
  },
  "deployment": {
   "type": "string",
   "minLength": 1
  },
  "version": {
   "type": "string",
   "minLength": 1
  },
  "port": {
   "type": "integer",
   "minimum": 1025,
   "maximum": 65535,
   "required": true
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "authentication_required": {
   "type": "boolean"
  },
  "authentication_method_token_enabled": {
   "type": "boolean"
  },
  "authentication_header_pass_through": {
   "type": "boolean"
  },
  "request_logging_excluded_paths": {
   "type": "string",
   "maxLength": 400
  },
  "request_logging_excluded_extensions": {
   "type": "array",
   "maxItems": 100
  },
  "rate_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "rate_limit_user_default": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "concurrency_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "concurrency_limit_user_default": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "type": {
   "type": "string"
  },
  "cache_aware_llm_routing": {
   "type": "boolean"
  },
  "imported_name": {
   "type": "string",
   "maxLength": 256
  },
  "imported_namespace": {
   "type": "string",
   "maxLength": 256
  },
  "imported_cluster_domain": {
   "type": "string",
   "maxLength": 256
  },
  "balancing": {
   "type": "string",
   "enum": [
    "least_of_two",
    "round_robin",
    "least_in_flight",
    "affinity"
   ]
  },
  "affinity": {
   "type": "string"
  },
  "connect_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "first_byte_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "idle_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "total_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "max_body_bytes": {
   "type": "integer",
   "minimum": 0,
   "maximum": 9007199254740992
  },
  "instance_concurrency_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "instance_max_wait": {
   "type": "number",
   "minimum": 0,
   "maximum": 60
  },
  "slow_start": {
   "type": "number",
   "minimum": 0,
   "maximum": 3600
  },
  "limit_policy": {
   "type": "string",
   "enum": [
    "enforce",
    "shadow"
   ]
  },
  "limit_max_wait_ms": {
   "type": "integer",
   "minimum": 0,
   "maximum": 60000
  },
  "limit_when_unknown": {
   "type": "string",
   "enum": [
    "closed",
    "open"
   ]
  },
  "request_logging_sample": {
   "type": "number",
   "minimum": 0,
   "maximum": 1
  },
  "request_logging_max_body": {
   "type": "integer",
   "minimum": 0,
   "maximum": 262144
  },
  "request_logging_redact_headers": {
   "type": "array",
   "maxItems": 100
  },
  "request_logging_redact_fields": {
   "type": "array",
   "maxItems": 100
  },
  "ip_allow": {
   "type": "array",
   "maxItems": 100
  },
  "ip_deny": {
   "type": "array",
   "maxItems": 100
  },
  "cors": {},
  "jwt": {},
  "client_certificates": {},
  "browser_sign_in": {
   "type": "boolean"
  },
  "health_check": {},
  "rate_limit_token": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  }
 },
 "ServiceUpdate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"
  },
  "deployment": {
   "type": "string",
   "minLength": 1
  },
  "version": {
   "type": "string",
   "minLength": 1
  },
  "port": {
   "type": "integer",
   "minimum": 1025,
   "maximum": 65535
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "authentication_required": {
   "type": "boolean"
  },
  "authentication_method_token_enabled": {
   "type": "boolean"
  },
  "authentication_header_pass_through": {
   "type": "boolean"
  },
  "request_logging_excluded_paths": {
   "type": "string",
   "maxLength": 400
  },
  "request_logging_excluded_extensions": {
   "type": "array",
   "maxItems": 100
  },
  "rate_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "rate_limit_user_default": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "concurrency_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "concurrency_limit_user_default": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "type": {
   "type": "string"
  },
  "cache_aware_llm_routing": {
   "type": "boolean"
  },
  "imported_name": {
   "type": "string",
   "maxLength": 256
  },
  "imported_namespace": {
   "type": "string",
   "maxLength": 256
  },
  "imported_cluster_domain": {
   "type": "string",
   "maxLength": 256
  },
  "balancing": {
   "type": "string",
   "enum": [
    "least_of_two",
    "round_robin",
    "least_in_flight",
    "affinity"
   ]
  },
  "affinity": {
   "type": "string"
  },
  "connect_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "first_byte_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "idle_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "total_timeout": {
   "type": "number",
   "maximum": 86400,
   "exclusiveMinimum": 0
  },
  "max_body_bytes": {
   "type": "integer",
   "minimum": 0,
   "maximum": 9007199254740992
  },
  "instance_concurrency_limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "instance_max_wait": {
   "type": "number",
   "minimum": 0,
   "maximum": 60
  },
  "slow_start": {
   "type": "number",
   "minimum": 0,
   "maximum": 3600
  },
  "limit_policy": {
   "type": "string",
   "enum": [
    "enforce",
    "shadow"
   ]
  },
  "limit_max_wait_ms": {
   "type": "integer",
   "minimum": 0,
   "maximum": 60000
  },
  "limit_when_unknown": {
   "type": "string",
   "enum": [
    "closed",
    "open"
   ]
  },
  "request_logging_sample": {
   "type": "number",
   "minimum": 0,
   "maximum": 1
  },
  "request_logging_max_body": {
   "type": "integer",
   "minimum": 0,
   "maximum": 262144
  },
  "request_logging_redact_headers": {
   "type": "array",
   "maxItems": 100
  },
  "request_logging_redact_fields": {
   "type": "array",
   "maxItems": 100
  },
  "ip_allow": {
   "type": "array",
   "maxItems": 100
  },
  "ip_deny": {
   "type": "array",
   "maxItems": 100
  },
  "cors": {},
  "jwt": {},
  "client_certificates": {},
  "browser_sign_in": {
   "type": "boolean"
  },
  "health_check": {},
  "rate_limit_token": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  }
 },
 "ServiceUserCreate": {
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "expiry_date": {
   "type": "string"
  },
  "description": {
   "type": "string",
   "maxLength": 400
  }
 },
 "ServiceUserUpdate": {
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "expiry_date": {
   "type": "string"
  },
  "description": {
   "type": "string",
   "maxLength": 400
  }
 },
 "SessionCreate": {
  "token": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "email": {
   "type": "string",
   "minLength": 1,
   "maxLength": 254
  },
  "password": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  }
 },
 "ShareCreate": {
  "expires_in": {
   "type": "integer",
   "minimum": 60,
   "maximum": 2592000,
   "required": true
  },
  "path": {
   "type": "string",
   "maxLength": 1024,
   "pattern": "^/([^/\\\\]|$)"
  }
 },
 "SignIn": {
  "email": {
   "type": "string",
   "maxLength": 254,
   "required": true
  },
  "password": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024,
   "required": true
  },
  "token": {
   "type": "string",
   "maxLength": 64
  }
 },
 "SignInStart": {
  "email": {
   "type": "string",
   "maxLength": 254,
   "required": true
  },
  "password": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  }
 },
 "TokenCreate": {
  "name": {
   "type": "string",
   "maxLength": 64
  },
  "expiry_date": {
   "type": "string"
  }
 },
 "UserCreate": {
  "email": {
   "type": "string",
   "required": true
  },
  "password": {
   "type": "string",
   "minLength": 8,
   "maxLength": 128,
   "required": true
  },
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "surname": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  }
 },
 "UserLimitCreate": {
  "id": {
   "type": "string"
  },
  "user_id": {
   "type": "string",
   "required": true
  },
  "limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000,
   "required": true
  }
 },
 "UserLimitUpdate": {
  "limit": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  }
 },
 "UserUpdate": {
  "name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "surname": {
   "type": "string",
   "minLength": 1,
   "maxLength": 256
  },
  "password": {
   "type": "string",
   "minLength": 8,
   "maxLength": 128
  },
  "current_password": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  }
 },
 "VersionCreate": {
  "version": {
   "type": "string",
   "pattern": "^[A-Za-z0-9_-]{1,64}$",
   "rule": "must be 1 to 64 characters of letters, digits, underscores and dashes",
   "required": true
  },
  "environment": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "environment_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "environment_tag": {
   "type": "string",
   "minLength": 1,
   "maxLength": 128
  },
  "instance_type": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "instance_type_group_id": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "instance_type_group_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "minimum_instances": {
   "type": "integer",
   "minimum": 0,
   "maximum": 1000000000
  },
  "maximum_instances": {
   "type": "integer",
   "minimum": 0,
   "maximum": 1000000000
  },
  "maximum_idle_time": {
   "type": "integer",
   "minimum": 10,
   "maximum": 3600
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "request_retention_mode": {
   "type": "string"
  },
  "request_retention_time": {
   "type": "integer",
   "minimum": 0,
   "maximum": 2419200
  },
  "maximum_queue_size": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "restart_request_interruption": {
   "type": "boolean"
  },
  "static_ip": {
   "type": "boolean"
  },
  "ports": {
   "type": "array"
  },
  "scaling_strategy": {
   "type": "string",
   "pattern": "^(default|moderate)$"
  },
  "instance_processes": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "health_check": {},
  "command": {},
  "args": {}
 },
 "VersionPort": {
  "public_port": {
   "type": "integer",
   "minimum": 1,
   "maximum": 65535,
   "required": true
  },
  "deployment_port": {
   "type": "integer",
   "minimum": 1,
   "maximum": 65535,
   "required": true
  },
  "protocol": {
   "type": "string",
   "minLength": 1,
   "maxLength": 16,
   "required": true
  }
 },
 "VersionUpdate": {
  "version": {
   "type": "string",
   "pattern": "^[A-Za-z0-9_-]{1,64}$",
   "rule": "must be 1 to 64 characters of letters, digits, underscores and dashes"
  },
  "environment": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "environment_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "environment_tag": {
   "type": "string",
   "minLength": 1,
   "maxLength": 128
  },
  "instance_type": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "instance_type_group_id": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "instance_type_group_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 1024
  },
  "minimum_instances": {
   "type": "integer",
   "minimum": 0,
   "maximum": 1000000000
  },
  "maximum_instances": {
   "type": "integer",
   "minimum": 0,
   "maximum": 1000000000
  },
  "maximum_idle_time": {
   "type": "integer",
   "minimum": 10,
   "maximum": 3600
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "request_retention_mode": {
   "type": "string"
  },
  "request_retention_time": {
   "type": "integer",
   "minimum": 0,
   "maximum": 2419200
  },
  "maximum_queue_size": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "restart_request_interruption": {
   "type": "boolean"
  },
  "static_ip": {
   "type": "boolean"
  },
  "ports": {
   "type": "array"
  },
  "scaling_strategy": {
   "type": "string",
   "pattern": "^(default|moderate)$"
  },
  "instance_processes": {
   "type": "integer",
   "minimum": 1,
   "maximum": 1000000000
  },
  "health_check": {},
  "command": {},
  "args": {}
 },
 "WebhookCreate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter",
   "required": true
  },
  "url": {
   "type": "string",
   "minLength": 1,
   "maxLength": 2048,
   "required": true
  },
  "headers": {
   "type": "array",
   "maxItems": 20
  },
  "event": {
   "type": "string",
   "required": true
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "timeout": {
   "type": "integer",
   "minimum": 1,
   "maximum": 30
  },
  "enabled": {
   "type": "boolean"
  },
  "retry": {
   "type": "boolean"
  },
  "include_result": {
   "type": "boolean"
  },
  "object_type": {
   "type": "string",
   "pattern": "^(deployment|service)$",
   "required": true
  },
  "object_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "version": {
   "type": "string"
  }
 },
 "WebhookHeader": {
  "key": {
   "type": "string",
   "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$",
   "required": true
  },
  "value": {
   "type": "string",
   "pattern": "^[\\x20-\\x7e]{0,1024}$",
   "required": true
  },
  "protected": {
   "type": "boolean"
  }
 },
 "WebhookTestCreate": {
  "object_type": {
   "type": "string",
   "pattern": "^(deployment|service)$",
   "required": true
  },
  "object_name": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "version": {
   "type": "string"
  },
  "url": {
   "type": "string",
   "minLength": 1,
   "maxLength": 2048,
   "required": true
  },
  "headers": {
   "type": "array",
   "maxItems": 20
  },
  "event": {
   "type": "string",
   "required": true
  },
  "timeout": {
   "type": "integer",
   "minimum": 1,
   "maximum": 30
  },
  "retry": {
   "type": "boolean"
  },
  "include_result": {
   "type": "boolean"
  }
 },
 "WebhookUpdate": {
  "name": {
   "type": "string",
   "pattern": "^[a-z][a-z0-9-]{0,63}$",
   "rule": "must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"
  },
  "url": {
   "type": "string",
   "minLength": 1,
   "maxLength": 2048
  },
  "headers": {
   "type": "array",
   "maxItems": 20
  },
  "event": {
   "type": "string"
  },
  "description": {
   "type": "string",
   "maxLength": 400
  },
  "labels": {
   "type": "object"
  },
  "timeout": {
   "type": "integer",
   "minimum": 1,
   "maximum": 30
  },
  "enabled": {
   "type": "boolean"
  },
  "retry": {
   "type": "boolean"
  },
  "include_result": {
   "type": "boolean"
  }
 },
 "Widget": {
  "type": {
   "type": "string",
   "minLength": 1,
   "maxLength": 64,
   "required": true
  },
  "configuration": {
   "type": "object"
  }
 }
};
