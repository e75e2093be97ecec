// Made by `python tools/web_api.py` from the API's OpenAPI document: not to be edited.

export interface AccountKeyChanged {
  "account": string;
  "key": string;
}

export interface ApiStatus {
  "status": string;
  "reason": string | null;
}

export interface Attempt {
  "instance_id": string;
  "address": string;
  "outcome": string;
  "reason": string;
  "at_ms": number;
}

export interface AuditRecord {
  "id": string;
  "date": string;
  "action": string;
  "user": string;
  "event": string;
  "object_type": string;
  "object_name": string;
  "object_id": string;
  "changes": Record<string, unknown>;
  "request_id": string;
}

export interface BasicUser {
  "name": string;
  "password": string | null;
}

export interface BasicUsersUpdate {
  "users": Record<string, unknown>;
}

export interface Bucket {
  "start_date": string;
  "end_date": string;
  "value": number;
}

export interface BusConsumer {
  "name": string;
  "waiting": number;
  "unacknowledged": number;
  "redelivered": number;
}

export interface BusState {
  "reason": string;
  "streams": (BusStream)[];
}

export interface BusStream {
  "name": string;
  "messages": number;
  "bytes": number;
  "limit_bytes": number | null;
  "consumers": (BusConsumer)[];
}

export interface Certificate {
  "id": string;
  "hosts": (string)[];
  "issuer": string;
  "serial": string;
  "fingerprint": string;
  "not_before": string;
  "not_after": string;
}

export interface CertificateForecast {
  "reason": string;
  "total": number;
  "failing": number;
  "expired": number;
  "next": (CertificateState)[];
}

export interface CertificateRehearsed {
  "passed": boolean;
  "steps": (string)[];
  "reason": string;
  "problem": Record<string, unknown> | null;
}

export interface CertificateState {
  "id": string;
  "hosts": (string)[];
  "issuer": string;
  "certificate": Certificate | null;
  "renew_at": string | null;
  "step": string;
  "failures": number;
  "reason": string;
  "problem": Record<string, unknown> | null;
  "next_try": string | null;
}

export interface Changed {
  "type": string;
  "object_type": string;
  "id": string;
  "name": string | null;
  "service_id": string | null;
  "deployment_id": string | null;
  "version_id": string | null;
}

export interface ClientCertificatesBody {
  "authorities": string;
  "user"?: string;
  "names"?: (string)[];
}

export interface CorsBody {
  "origins": (string)[];
  "methods"?: (string)[];
  "headers"?: (string)[];
  "exposed"?: (string)[];
  "credentials"?: boolean;
  "max_age"?: number;
}

export interface DataPoint {
  "date": string;
  "value": number;
}

export interface DatabaseState {
  "kind": string;
  "size_bytes": number;
  "projects": number;
  "services": number;
  "instances": number;
  "users": number;
  "facts_waiting": number;
}

export interface DeadLetterBrief {
  "number": number;
  "consumer": string;
  "subject": string;
  "reason": string;
  "date": string | null;
  "size": number;
}

export interface DeadLetterDetail {
  "number": number;
  "consumer": string;
  "subject": string;
  "reason": string;
  "date": string | null;
  "size": number;
  "content": string;
  "cut": boolean;
}

export interface DeploymentCreate {
  "name": string;
  "description"?: string;
  "supports_request_format"?: boolean;
  "input_type"?: string | null;
  "output_type"?: string | null;
  "input_fields"?: (FieldCreate)[] | null;
  "output_fields"?: (FieldCreate)[] | null;
  "labels"?: Record<string, string>;
}

export interface DeploymentDetail {
  "id": string;
  "name": string;
  "project": string;
  "description": string;
  "supports_request_format": boolean;
  "input_type": string | null;
  "output_type": string | null;
  "input_fields": (Record<string, unknown>)[];
  "output_fields": (Record<string, unknown>)[];
  "labels": Record<string, string>;
  "creation_date": string;
  "last_updated": string;
  "default_version": string | null;
}

export interface DeploymentUpdate {
  "name"?: string | null;
  "default_version"?: string | null;
  "description"?: string | null;
  "input_fields"?: (FieldCreate)[] | null;
  "output_fields"?: (FieldCreate)[] | null;
  "labels"?: Record<string, string> | null;
}

export interface DiscoveryProvider {
  "name": string;
  "state": string;
  "reason": string;
  "since": string | null;
  "applied": string | null;
  "instances": number;
  "refused": number;
  "causes": (string)[];
  "runner": string | null;
}

export interface DomainCreate {
  "host": string;
}

export interface DomainDetail {
  "id": string;
  "host": string;
  "service": string;
  "verified": boolean;
  "verified_at": string | null;
  "created": string;
  "txt_name": string;
  "file_url": string;
  "text": string;
  "problem": string | null;
}

export interface EnvironmentDetail {
  "id": string;
  "name": string;
  "project": string | null;
  "creation_date": string;
  "last_updated": string;
  "description": string;
  "labels": Record<string, string>;
  "system": boolean;
}

export interface EnvironmentTag {
  "id": string;
  "name": string;
  "environment": string;
  "creation_date": string;
  "status": string;
  "supports_request_format": boolean;
  "implicit": boolean;
  "deprecated": boolean;
  "size": number;
  "error_message": string | null;
  "base_environment_name": string | null;
  "base_environment_tag": string | null;
  "built": boolean;
}

export interface EnvironmentVariable {
  "id": string;
  "name": string;
  "value": string | null;
  "secret": boolean;
  "inheritance_type": string | null;
  "inheritance_name": string | null;
}

export interface EnvironmentVariableCopy {
  "source_deployment": string;
  "source_version"?: string | null;
}

export interface EnvironmentVariableCreate {
  "name": string;
  "value"?: string | null;
  "secret"?: boolean;
}

export interface ErrorBody {
  "error": string;
  "code": string;
}

export interface Explanation {
  "deployment": string;
  "version": string;
  "user": string;
  "request": RequestRecord;
  "sentence": string;
  "instances": (InstanceThen)[];
  "limits": Record<string, number>;
  "events": (ProjectEventRecord)[];
}

export interface FieldCreate {
  "name": string;
  "data_type": string;
  "widget"?: Widget | null;
}

export interface HealthChange {
  "id": string;
  "time": string;
  "before": string;
  "health": string;
  "reason": string;
  "evidence": (string)[];
}

export interface HealthCheckBody {
  "port"?: number | null;
  "path"?: string | null;
  "interval"?: number | null;
  "timeout"?: number | null;
  "failure_threshold"?: number | null;
  "type"?: "http" | "tcp" | "grpc" | null;
  "success_threshold"?: number | null;
  "method"?: string | null;
  "headers"?: Record<string, string> | null;
  "expected_status"?: string | number | (number | string)[] | null;
  "tls"?: boolean | null;
  "tls_verify"?: boolean | null;
  "tls_ca"?: string | null;
  "tls_name"?: string | null;
  "grpc_service"?: string | null;
}

export interface HealthWorker {
  "name": string;
  "instances": number;
  "share": number;
  "seen": string;
  "version": string;
}

export interface HeldOn {
  "resource_type": string;
  "resource": string;
  "permissions": (string)[];
}

export interface HeldPermissions {
  "project": string;
  "everything": boolean;
  "permissions": (string)[];
  "on": (HeldOn)[];
}

export interface InstallationState {
  "version": string;
  "time": string;
  "sequence": number;
  "problems": (string)[];
  "routers": (WorkerApplied)[];
  "health_workers": (HealthWorker)[];
  "bus": BusState;
  "dead_letters": number;
  "certificates": CertificateForecast;
  "log_store": LogStoreState;
  "database": DatabaseState;
}

export interface InstanceCreate {
  "address": string;
  "port"?: number | null;
  "weight"?: number;
  "lease_seconds"?: number | null;
  "metadata"?: Record<string, string>;
  "identity"?: string | null;
}

export interface InstanceDetail {
  "id": string;
  "status": string;
  "instance_type": InstanceTypeBrief | null;
  "time_created": string;
  "time_updated": string;
  "deployment": string;
  "version": string;
  "node": Node | null;
  "node_pool": Record<string, unknown> | null;
  "address": string;
  "port": number | null;
  "weight": number;
  "health": string;
  "reason": string;
  "note": string;
  "lease_expires": string | null;
  "metadata": Record<string, string>;
  "in_flight": (InstanceInFlight)[];
}

export interface InstanceEvent {
  "id": string;
  "time_created": string;
  "type": string;
  "description": string;
}

export interface InstanceEventPage {
  "next": string | null;
  "previous": string | null;
  "results": (InstanceEvent)[];
}

export interface InstanceInFlight {
  "router": string;
  "in_flight": number;
  "open": (InstanceRequest)[];
}

export interface InstancePage {
  "next": string | null;
  "previous": string | null;
  "results": (InstanceDetail)[];
}

export interface InstanceRequest {
  "id": string;
  "service_id": string;
  "websocket": boolean;
  "age_s": number;
}

export interface InstanceThen {
  "id": string;
  "address": string;
  "health": string;
  "reason": string;
  "since": string | null;
  "draining": boolean;
  "tried": boolean;
}

export interface InstanceType {
  "id": string;
  "time_created": string;
  "name": string;
  "display_name": string;
  "cpu": number | null;
  "memory": number | null;
  "storage": number | null;
  "accelerator": number | null;
  "credit_rate": number;
  "dedicated_node": boolean;
  "node_pool": Record<string, unknown> | null;
}

export interface InstanceTypeBrief {
  "id": string;
  "name": string;
  "display_name": string;
}

export interface InstanceTypeGroup {
  "id": string;
  "name": string;
  "time_created": string;
  "time_updated": string;
  "instance_types": (InstanceTypeOfGroup)[];
}

export interface InstanceTypeGroupPage {
  "next": string | null;
  "previous": string | null;
  "results": (InstanceTypeGroup)[];
}

export interface InstanceTypeGroupUse {
  "id": string;
  "deployment": string;
  "version": string;
  "instance_type_group_id": string;
  "instance_type_group_name": string;
}

export interface InstanceTypeGroupUsePage {
  "next": string | null;
  "previous": string | null;
  "results": (InstanceTypeGroupUse)[];
}

export interface InstanceTypeOfGroup {
  "id": string;
  "time_created": string;
  "name": string;
  "display_name": string;
  "cpu": number | null;
  "memory": number | null;
  "storage": number | null;
  "accelerator": number | null;
  "credit_rate": number;
  "dedicated_node": boolean;
  "node_pool": Record<string, unknown> | null;
  "priority": number;
  "schedule_timeout": number;
}

export interface InstanceTypePage {
  "next": string | null;
  "previous": string | null;
  "results": (InstanceType)[];
}

export interface InstanceUpdate {
  "status": string;
}

export interface JwtBody {
  "issuer": string;
  "audience": string;
  "keys_url"?: string | null;
  "user_claim"?: string;
  "required_claims"?: Record<string, unknown>;
  "roles"?: (RoleClaimBody)[];
}

export interface LeaseRenewal {
  "note"?: string;
}

export interface LimitUse {
  "kind": string;
  "limit": number;
  "used": number;
  "remaining": number;
  "reset_seconds": number;
  "token_id": string | null;
  "token_name": string | null;
}

export interface LiveService {
  "id": string;
  "name": string;
  "instances": number;
  "instances_ready": number;
  "requests_per_second": number | null;
  "error_rate": number | null;
  "limited_rate": number | null;
  "p95_ms": number | null;
  "concurrency": number | null;
}

export interface LiveServices {
  "time": string;
  "measured": boolean;
  "total": number;
  "services": (LiveService)[];
}

export interface LiveUpdate {
  "whole": boolean;
  "measured": boolean;
  "services": (LiveService)[];
  "gone": (string)[];
}

export interface LogLine {
  "timestamp": number;
  "timestamp_str": string;
  "log": string;
  "metadata": LogMetadata;
}

export interface LogMetadata {
  "deployment_name": string | null;
  "deployment_version": string | null;
  "instance_id": string | null;
  "service_name": string | null;
  "system": boolean;
  "level": string;
}

export interface LogStoreState {
  "kind": string;
  "reason": string;
  "size_bytes": number;
  "limit_bytes": number;
  "requests": number;
  "oldest": string | null;
  "version": string;
}

export interface MetricCreate {
  "name": string;
  "metric_type": string;
  "unit"?: string | null;
  "labels"?: (string)[] | null;
  "description"?: string | null;
}

export interface MetricDetail {
  "id": number;
  "name": string;
  "description": string | null;
  "creation_date": string | null;
  "last_updated": string | null;
  "custom": boolean;
  "metric_type": string;
  "unit": string | null;
  "labels": (string)[];
}

export interface MetricUpdate {
  "name"?: string | null;
  "metric_type"?: string | null;
  "unit"?: string | null;
  "labels"?: (string)[] | null;
  "description"?: string | null;
}

export interface Node {
  "ipv4_address": string | null;
  "ipv6_address": string | null;
}

export interface OAuthCode {
  "code": string;
  "provider": string;
}

export interface OrganizationCreate {
  "name": string;
  "subscription"?: string | null;
  "subscription_start_date"?: string | null;
  "subscription_end_date"?: string | null;
  "two_factor_authentication_forced"?: boolean | null;
  "voucher"?: string | null;
}

export interface OrganizationDetail {
  "id": string;
  "name": string;
  "creation_date": string;
  "status": string;
  "subscription": string;
  "overage_usage": boolean;
  "two_factor_authentication_forced": boolean;
}

export interface OrganizationUpdate {
  "name"?: string | null;
  "subscription"?: string | null;
  "subscription_start_date"?: string | null;
  "subscription_end_date"?: string | null;
  "two_factor_authentication_forced"?: boolean | null;
}

export interface OrganizationUserCreate {
  "email": string;
  "admin"?: boolean;
}

export interface OrganizationUserDetail {
  "id": string;
  "email": string;
  "name": string | null;
  "surname": string | null;
  "admin": boolean;
  "status": string;
  "join_date": string;
}

export interface OrganizationUserUpdate {
  "admin"?: boolean | null;
}

export interface PermissionDetail {
  "name": string;
}

export interface PersonUpdate {
  "name"?: string | null;
  "surname"?: string | null;
  "password"?: string | null;
  "administrator"?: boolean | null;
}

export interface PointsKept {
  "points": number;
}

export interface ProjectCreate {
  "name": string;
  "organization_name": string;
  "advanced_permissions"?: boolean;
  "credits"?: number | null;
  "cors_origins"?: (string)[];
  "labels"?: Record<string, string>;
}

export interface ProjectDetail {
  "id": string;
  "name": string;
  "creation_date": string;
  "advanced_permissions": boolean;
  "credits": number | null;
  "organization_name": string;
  "labels": Record<string, string>;
  "suspended": boolean;
  "suspended_reason": string | null;
  "cors_origins": (string)[];
}

export interface ProjectEventRecord {
  "id": string;
  "date": string;
  "object_type": string;
  "object_id": string;
  "object_name": string;
  "parent_object_name": string | null;
  "parent_object_id": string | null;
  "instance_id": string | null;
  "type": string;
  "log_timestamp": number | null;
  "text": string;
}

export interface ProjectUpdate {
  "name"?: string | null;
  "advanced_permissions"?: boolean | null;
  "credits"?: number | null;
  "suspend"?: boolean | null;
  "cors_origins"?: (string)[] | null;
  "labels"?: Record<string, string> | null;
}

export interface ProjectUserCreate {
  "user_id": string;
}

export interface ProjectUserDetail {
  "id": string;
  "email": string;
  "name": string | null;
  "surname": string | null;
}

export interface Propagation {
  "sequence": number;
  "applied": boolean;
  "workers": (WorkerApplied)[];
}

export interface QuotaDetail {
  "resource": string;
  "quota": number | null;
}

export interface RehearsalCreate {
  "hosts"?: (string)[];
}

export interface RequestDetail {
  "id": string;
  "deployment": string;
  "version": string;
  "status": string;
  "success": boolean;
  "time_created": string;
  "time_started": string;
  "time_completed": string;
  "input_size": number;
  "output_size": number;
  "error_message": string | null;
  "timeout": number | null;
  "request_data": unknown;
  "result": unknown;
  "additional_data": Record<string, unknown>;
  "origin": Record<string, string>;
}

export type RequestIds = (string)[];

export interface RequestOverview {
  "id": string;
  "deployment": string;
  "pipeline": string | null;
  "version": string;
  "status": string;
  "time_created": string;
  "time_started": string;
  "time_completed": string;
  "input_size": number;
  "output_size": number;
}

export interface RequestPage {
  "next": string | null;
  "previous": string | null;
  "results": (RequestRecord)[];
  "lost": Record<string, number>;
}

export interface RequestRecord {
  "id": string;
  "time": string;
  "router": string;
  "project_id": string;
  "service_id": string;
  "deployment_id": string;
  "version_id": string;
  "instance_id": string;
  "subject_id": string;
  "token_id": string;
  "method": string;
  "path": string;
  "query": string;
  "status": number;
  "code": string;
  "outcome": string;
  "request_bytes": number;
  "response_bytes": number;
  "connect_ms": number;
  "first_byte_ms": number;
  "total_ms": number;
  "client": string;
  "user_agent": string;
  "trace_id": string;
  "route_sequence": number;
  "logged": boolean;
  "keep_s": number;
  "attempts": (Attempt)[];
  "request_headers": string;
  "request_body": string;
  "request_cut": boolean;
  "response_headers": string;
  "response_body": string;
  "response_cut": boolean;
}

export interface RequestStatusUpdate {
  "status": string;
}

export interface RequestSummary {
  "id": string;
  "deployment": string;
  "version": string;
  "status": string;
  "success": boolean;
  "time_created": string;
  "time_started": string;
  "time_completed": string;
  "input_size": number;
  "output_size": number;
}

export interface RequestsCancelled {
  "cancelled": (string)[];
}

export interface RequestsDeleted {
  "deleted": (string)[];
}

export interface ResourceUsage {
  "deployments": number;
  "deployment_versions": number;
  "pipelines": number;
  "pipeline_versions": number;
  "buckets": number;
  "environments": number;
  "services": number;
  "instances": number;
}

export interface RevisionDetail {
  "id": string;
  "version": string;
  "creation_date": string;
  "created_by": string | null;
  "status": string;
  "error_message": string | null;
  "has_request_method": boolean;
  "has_requests_method": boolean;
  "empty": boolean;
}

export interface RevisionUploaded {
  "success": boolean;
  "revision": string;
}

export interface RoleAssignmentCreate {
  "role": string;
  "assignee": string;
  "assignee_type"?: string | null;
  "resource"?: string | null;
  "resource_type"?: string | null;
}

export interface RoleAssignmentDetail {
  "id": string;
  "assignee": string;
  "assignee_type": string;
  "role": string;
  "resource": string;
  "resource_type": string;
}

export interface RoleBrief {
  "id": string;
  "name": string;
  "default": boolean;
}

export interface RoleClaimBody {
  "role": string;
  "claim": string;
  "values": (string)[];
}

export interface RoleCreate {
  "name": string;
  "permissions": (string)[];
}

export interface RoleDetail {
  "id": string;
  "name": string;
  "default": boolean;
  "permissions": (string)[];
}

export interface RoleUpdate {
  "name"?: string | null;
  "permissions"?: (string)[] | null;
}

export interface RolloutCreate {
  "version": string;
  "steps": (RolloutStep)[];
  "gates"?: RolloutGates;
  "sticky"?: string | null;
}

export interface RolloutDetail {
  "id": string;
  "service": string;
  "before": string;
  "version": string;
  "state": string;
  "step": number;
  "weight": number;
  "waiting_for": string;
  "reason": string;
  "steps": (RolloutStep)[];
  "gates": RolloutGates;
  "sticky": string | null;
  "step_began": string;
  "seen": (RolloutSeen)[];
  "events": (RolloutEvent)[];
  "time_created": string;
  "time_updated": string;
}

export interface RolloutEvent {
  "time": string;
  "type": string;
  "text": string;
}

export interface RolloutGates {
  "max_error_rate"?: number | null;
  "max_p95_ms"?: number | null;
  "min_requests"?: number;
}

export interface RolloutSeen {
  "version": string;
  "requests": number;
  "errors": number;
  "error_rate": number | null;
  "p95_ms": number | null;
}

export interface RolloutStep {
  "weight": number;
  "hold_s"?: number | null;
}

export interface RolloutUpdate {
  "state"?: string | null;
  "step"?: number | null;
}

export interface Series {
  "id": number;
  "metric": string;
  "labels": Record<string, string>;
  "resolution": number;
}

export interface SeriesData {
  "metric": string;
  "labels"?: Record<string, unknown>;
  "data": (DataPoint)[];
}

export type SeriesDataList = (SeriesData)[];

export interface ServiceCertificate {
  "host": string;
  "own_domain": boolean;
  "status": string;
  "issuer": string;
  "not_after": string | null;
  "renew_at": string | null;
  "next_try": string | null;
  "failures": number;
  "reason": string;
}

export interface ServiceChart {
  "period_s": number;
  "times": (number)[];
  "by_class": Record<string, (number | null)[]>;
  "p50_ms": (number | null)[];
  "p95_ms": (number | null)[];
  "p99_ms": (number | null)[];
  "first_byte_ms": (number | null)[];
  "in_flight": (number | null)[];
  "limited": (number | null)[];
  "instances_ready": (number | null)[];
}

export interface ServiceCreate {
  "name": string;
  "deployment"?: string | null;
  "version"?: string | null;
  "port": number;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "authentication_required"?: boolean | null;
  "authentication_method_token_enabled"?: boolean | null;
  "authentication_header_pass_through"?: boolean | null;
  "request_logging_excluded_paths"?: string | null;
  "request_logging_excluded_extensions"?: (string)[] | null;
  "rate_limit"?: number | null;
  "rate_limit_user_default"?: number | null;
  "concurrency_limit"?: number | null;
  "concurrency_limit_user_default"?: number | null;
  "type"?: string | null;
  "cache_aware_llm_routing"?: boolean | null;
  "imported_name"?: string | null;
  "imported_namespace"?: string | null;
  "imported_cluster_domain"?: string | null;
  "balancing"?: "least_of_two" | "round_robin" | "least_in_flight" | "affinity" | null;
  "affinity"?: string | null;
  "connect_timeout"?: number | null;
  "first_byte_timeout"?: number | null;
  "idle_timeout"?: number | null;
  "total_timeout"?: number | null;
  "max_body_bytes"?: number | null;
  "instance_concurrency_limit"?: number | null;
  "instance_max_wait"?: number | null;
  "slow_start"?: number | null;
  "limit_policy"?: "enforce" | "shadow" | null;
  "limit_max_wait_ms"?: number | null;
  "limit_when_unknown"?: "closed" | "open" | null;
  "request_logging_sample"?: number | null;
  "request_logging_max_body"?: number | null;
  "request_logging_redact_headers"?: (string)[] | null;
  "request_logging_redact_fields"?: (string)[] | null;
  "ip_allow"?: (string)[] | null;
  "ip_deny"?: (string)[] | null;
  "cors"?: CorsBody | null;
  "jwt"?: JwtBody | null;
  "client_certificates"?: ClientCertificatesBody | null;
  "browser_sign_in"?: boolean | null;
  "health_check"?: HealthCheckBody | null;
  "rate_limit_token"?: number | null;
}

export interface ServiceDetail {
  "id": string;
  "name": string;
  "deployment": string;
  "version": string | null;
  "port": number;
  "time_created": string;
  "time_updated": string;
  "labels": Record<string, string>;
  "authentication_required": boolean;
  "type": string;
  "cache_aware_llm_routing": boolean;
  "endpoint": string | null;
  "description": string;
  "authentication_method_token_enabled": boolean;
  "authentication_header_pass_through": boolean;
  "request_logging_excluded_paths": string;
  "request_logging_excluded_extensions": (string)[];
  "rate_limit": number | null;
  "rate_limit_user_default": number | null;
  "concurrency_limit": number | null;
  "concurrency_limit_user_default": number | null;
  "imported_name": string | null;
  "imported_namespace": string | null;
  "imported_cluster_domain": string;
  "imported_scheme": string;
  "balancing": string;
  "affinity": string | null;
  "connect_timeout": number | null;
  "first_byte_timeout": number | null;
  "idle_timeout": number | null;
  "total_timeout": number | null;
  "max_body_bytes": number | null;
  "instance_concurrency_limit": number | null;
  "instance_max_wait": number;
  "slow_start": number;
  "limit_policy": string;
  "limit_max_wait_ms": number;
  "limit_when_unknown": string;
  "request_logging_sample": number;
  "request_logging_max_body": number;
  "request_logging_redact_headers": (string)[];
  "request_logging_redact_fields": (string)[];
  "ip_allow": (string)[];
  "ip_deny": (string)[];
  "cors": Record<string, unknown> | null;
  "jwt": Record<string, unknown> | null;
  "client_certificates": Record<string, unknown> | null;
  "browser_sign_in": boolean;
}

export interface ServiceRequest {
  "deployment": string;
  "version": string;
  "user": string;
  "request": RequestRecord;
}

export interface ServiceStatus {
  "id": string;
  "ready": boolean;
  "instances_ready": number;
}

export interface ServiceSummary {
  "id": string;
  "name": string;
  "deployment": string;
  "version": string | null;
  "port": number;
  "time_created": string;
  "time_updated": string;
  "labels": Record<string, string>;
  "authentication_required": boolean;
  "type": string;
  "cache_aware_llm_routing": boolean;
  "endpoint": string | null;
}

export interface ServiceUpdate {
  "name"?: string | null;
  "deployment"?: string | null;
  "version"?: string | null;
  "port"?: number | null;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "authentication_required"?: boolean | null;
  "authentication_method_token_enabled"?: boolean | null;
  "authentication_header_pass_through"?: boolean | null;
  "request_logging_excluded_paths"?: string | null;
  "request_logging_excluded_extensions"?: (string)[] | null;
  "rate_limit"?: number | null;
  "rate_limit_user_default"?: number | null;
  "concurrency_limit"?: number | null;
  "concurrency_limit_user_default"?: number | null;
  "type"?: string | null;
  "cache_aware_llm_routing"?: boolean | null;
  "imported_name"?: string | null;
  "imported_namespace"?: string | null;
  "imported_cluster_domain"?: string | null;
  "balancing"?: "least_of_two" | "round_robin" | "least_in_flight" | "affinity" | null;
  "affinity"?: string | null;
  "connect_timeout"?: number | null;
  "first_byte_timeout"?: number | null;
  "idle_timeout"?: number | null;
  "total_timeout"?: number | null;
  "max_body_bytes"?: number | null;
  "instance_concurrency_limit"?: number | null;
  "instance_max_wait"?: number | null;
  "slow_start"?: number | null;
  "limit_policy"?: "enforce" | "shadow" | null;
  "limit_max_wait_ms"?: number | null;
  "limit_when_unknown"?: "closed" | "open" | null;
  "request_logging_sample"?: number | null;
  "request_logging_max_body"?: number | null;
  "request_logging_redact_headers"?: (string)[] | null;
  "request_logging_redact_fields"?: (string)[] | null;
  "ip_allow"?: (string)[] | null;
  "ip_deny"?: (string)[] | null;
  "cors"?: CorsBody | null;
  "jwt"?: JwtBody | null;
  "client_certificates"?: ClientCertificatesBody | null;
  "browser_sign_in"?: boolean | null;
  "health_check"?: HealthCheckBody | null;
  "rate_limit_token"?: number | null;
}

export interface ServiceUserCreate {
  "name"?: string | null;
  "expiry_date"?: string | null;
  "description"?: string | null;
}

export interface ServiceUserCreated {
  "id": string;
  "email": string;
  "name": string | null;
  "description": string | null;
  "creation_date": string;
  "expiry_date": string | null;
  "token_last_used": string | null;
  "token": string;
}

export interface ServiceUserDetail {
  "id": string;
  "email": string;
  "name": string | null;
  "description": string | null;
  "creation_date": string;
  "expiry_date": string | null;
  "token_last_used": string | null;
}

export interface ServiceUserToken {
  "token": string;
}

export interface ServiceUserUpdate {
  "name"?: string | null;
  "expiry_date"?: string | null;
  "description"?: string | null;
}

export interface SessionCreate {
  "token"?: string | null;
  "email"?: string | null;
  "password"?: string | null;
}

export interface SessionDetail {
  "user": UserDetail;
  "service_user": boolean;
  "by": string;
  "cookie": boolean;
  "expires": string | null;
  "version": string;
}

export interface SessionOptions {
  "token": boolean;
  "password": boolean;
  "single_sign_on": SingleSignOn | null;
  "registration": boolean;
  "version": string;
  "domain": string;
}

export interface ShareCreate {
  "expires_in": number;
  "path"?: string | null;
}

export interface ShareDetail {
  "id": string;
  "url": string;
  "expires": string;
}

export interface SignIn {
  "email": string;
  "password": string;
  "token"?: string | null;
}

export interface SignInProvider {
  "provider": string;
  "url": string;
}

export interface SignInStart {
  "email": string;
  "password"?: string | null;
}

export interface SignedIn {
  "access": string;
}

export interface SingleSignOn {
  "name": string;
  "url": string;
}

export interface TimeSeries {
  "metric": string;
  "metric_type": string;
  "unit": string | null;
  "start_date": string;
  "end_date": string;
  "aggregation_period": number;
  "labels": Record<string, string>;
  "data_points": (Bucket)[];
}

export interface TokenCreate {
  "name"?: string;
  "expiry_date"?: string | null;
}

export interface TokenCreated {
  "id": string;
  "name": string;
  "creation_date": string;
  "expiry_date": string | null;
  "token_last_used": string | null;
  "token": string;
}

export interface TokenDetail {
  "id": string;
  "name": string;
  "creation_date": string;
  "expiry_date": string | null;
  "token_last_used": string | null;
}

export interface UserCreate {
  "email": string;
  "password": string;
  "name"?: string | null;
  "surname"?: string | null;
}

export interface UserDetail {
  "id": string;
  "email": string;
  "name": string | null;
  "surname": string | null;
  "registration_date": string;
  "authentication": string;
  "administrator": boolean;
}

export interface UserLimitCreate {
  "id"?: string | null;
  "user_id": string;
  "limit": number;
}

export interface UserLimitDetail {
  "id": string;
  "user_id": string;
  "user_email": string;
  "limit": number;
}

export interface UserLimitUpdate {
  "limit"?: number | null;
}

export interface UserPendingDetail {
  "id": string;
  "email": string;
  "name": string | null;
  "surname": string | null;
}

export interface UserUpdate {
  "name"?: string | null;
  "surname"?: string | null;
  "password"?: string | null;
  "current_password"?: string | null;
}

export interface VersionCreate {
  "version": string;
  "environment"?: string | null;
  "environment_name"?: string | null;
  "environment_tag"?: string | null;
  "instance_type"?: string | null;
  "instance_type_group_id"?: string | null;
  "instance_type_group_name"?: string | null;
  "minimum_instances"?: number | null;
  "maximum_instances"?: number | null;
  "maximum_idle_time"?: number | null;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "request_retention_mode"?: string | null;
  "request_retention_time"?: number | null;
  "maximum_queue_size"?: number | null;
  "restart_request_interruption"?: boolean | null;
  "static_ip"?: boolean | null;
  "ports"?: (VersionPort)[] | null;
  "scaling_strategy"?: string | null;
  "instance_processes"?: number | null;
  "health_check"?: HealthCheckBody | null;
  "command"?: unknown;
  "args"?: unknown;
}

export interface VersionDetail {
  "id": string;
  "deployment": string;
  "version": string;
  "default": boolean | null;
  "description": string;
  "environment_name": string;
  "environment_tag": string;
  "status": string;
  "active_revision": string | null;
  "latest_revision": string | null;
  "maximum_instances": number;
  "minimum_instances": number;
  "maximum_idle_time": number;
  "labels": Record<string, string>;
  "creation_date": string;
  "last_updated": string;
  "request_retention_time": number;
  "request_retention_mode": string;
  "maximum_queue_size": number;
  "restart_request_interruption": boolean;
  "static_ip": boolean;
  "ports": (Record<string, unknown>)[];
  "instance_type": string | null;
  "scaling_strategy": string;
  "instance_processes": number;
  "instance_type_group_id": string | null;
  "instance_type_group_name": string | null;
  "last_file_upload": string | null;
  "has_request_method": boolean;
  "has_requests_method": boolean;
  "health_check": Record<string, unknown> | null;
  "command": unknown;
  "args": unknown;
}

export interface VersionPort {
  "public_port": number;
  "deployment_port": number;
  "protocol": string;
}

export interface VersionUpdate {
  "version"?: string | null;
  "environment"?: string | null;
  "environment_name"?: string | null;
  "environment_tag"?: string | null;
  "instance_type"?: string | null;
  "instance_type_group_id"?: string | null;
  "instance_type_group_name"?: string | null;
  "minimum_instances"?: number | null;
  "maximum_instances"?: number | null;
  "maximum_idle_time"?: number | null;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "request_retention_mode"?: string | null;
  "request_retention_time"?: number | null;
  "maximum_queue_size"?: number | null;
  "restart_request_interruption"?: boolean | null;
  "static_ip"?: boolean | null;
  "ports"?: (VersionPort)[] | null;
  "scaling_strategy"?: string | null;
  "instance_processes"?: number | null;
  "health_check"?: HealthCheckBody | null;
  "command"?: unknown;
  "args"?: unknown;
}

export interface WebhookCall {
  "id": string;
  "created": string;
  "event": string;
  "attempts": number;
  "next_attempt": string | null;
  "status": string;
  "response_status": number | null;
  "error": string;
}

export interface WebhookCreate {
  "name": string;
  "url": string;
  "headers"?: (WebhookHeader)[] | null;
  "event": string;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "timeout"?: number | null;
  "enabled"?: boolean | null;
  "retry"?: boolean | null;
  "include_result"?: boolean | null;
  "object_type": string;
  "object_name": string;
  "version"?: string | null;
}

export interface WebhookDetail {
  "id": string;
  "name": string;
  "object_type": string;
  "object_name": string;
  "version": string | null;
  "url": string;
  "headers": (WebhookHeaderShown)[];
  "event": string;
  "creation_date": string;
  "last_updated": string;
  "description": string;
  "labels": Record<string, string>;
  "timeout": number;
  "enabled": boolean;
  "retry": boolean;
  "include_result": boolean;
  "signing_secret": string | null;
}

export interface WebhookHeader {
  "key": string;
  "value": string;
  "protected"?: boolean;
}

export interface WebhookHeaderShown {
  "key": string;
  "value": string;
  "protected": boolean;
}

export interface WebhookTest {
  "id": string;
  "status": string;
  "error_message": string | null;
}

export interface WebhookTestCreate {
  "object_type": string;
  "object_name": string;
  "version"?: string | null;
  "url": string;
  "headers"?: (WebhookHeader)[] | null;
  "event": string;
  "timeout"?: number | null;
  "retry"?: boolean | null;
  "include_result"?: boolean | null;
}

export interface WebhookUpdate {
  "name"?: string | null;
  "url"?: string | null;
  "headers"?: (WebhookHeader)[] | null;
  "event"?: string | null;
  "description"?: string | null;
  "labels"?: Record<string, string> | null;
  "timeout"?: number | null;
  "enabled"?: boolean | null;
  "retry"?: boolean | null;
  "include_result"?: boolean | null;
}

export interface Widget {
  "type": string;
  "configuration"?: Record<string, string>;
}

export interface WorkerApplied {
  "router": string;
  "worker": string;
  "applied_sequence": number;
  "seen": string;
  "load": WorkerLoad | null;
}

export interface WorkerLoad {
  "waiting_for": string;
  "services": number;
  "connections": number;
  "in_flight": number;
  "requests_per_second": number;
  "loop_lag_ms": number;
  "memory_bytes": number;
  "table_stale_s": number;
  "version": string;
}

export interface Operations {
  "GET /status": { path: object; query: object; body: undefined; answer: ApiStatus; };
  "GET /certificates": { path: object; query: object; body: undefined; answer: (Certificate)[]; };
  "GET /routers": { path: object; query: object; body: undefined; answer: (WorkerApplied)[]; };
  "GET /installation": { path: object; query: object; body: undefined; answer: InstallationState; };
  "GET /installation/dead-letters": { path: object; query: { after?: number; limit?: number; }; body: undefined; answer: (DeadLetterBrief)[]; };
  "GET /installation/dead-letters/{number}": { path: { number: string; }; query: object; body: undefined; answer: DeadLetterDetail; };
  "DELETE /installation/dead-letters/{number}": { path: { number: string; }; query: object; body: undefined; answer: undefined; };
  "POST /installation/dead-letters/{number}/retry": { path: { number: string; }; query: object; body: undefined; answer: DeadLetterBrief; };
  "GET /certificates/states": { path: object; query: object; body: undefined; answer: (CertificateState)[]; };
  "POST /certificates/rehearse": { path: object; query: object; body: RehearsalCreate; answer: CertificateRehearsed; };
  "POST /certificates/account-key": { path: object; query: object; body: undefined; answer: AccountKeyChanged; };
  "GET /certificates/{certificate}": { path: { certificate: string; }; query: object; body: undefined; answer: CertificateState; };
  "POST /certificates/{certificate}/renew": { path: { certificate: string; }; query: object; body: undefined; answer: CertificateState; };
  "GET /discovery": { path: object; query: object; body: undefined; answer: (DiscoveryProvider)[]; };
  "POST /oauth/sign-in": { path: object; query: object; body: SignInStart; answer: SignInProvider; };
  "POST /authorize": { path: object; query: object; body: SignIn; answer: SignedIn; };
  "POST /oauth/complete": { path: object; query: object; body: OAuthCode; answer: SignedIn; };
  "POST /oauth/sign-out": { path: object; query: object; body: undefined; answer: undefined; };
  "POST /user": { path: object; query: object; body: UserCreate; answer: UserPendingDetail; };
  "GET /user": { path: object; query: object; body: undefined; answer: UserDetail; };
  "PATCH /user": { path: object; query: object; body: UserUpdate; answer: UserDetail; };
  "DELETE /user": { path: object; query: object; body: undefined; answer: undefined; };
  "GET /session/options": { path: object; query: object; body: undefined; answer: SessionOptions; };
  "GET /session": { path: object; query: object; body: undefined; answer: SessionDetail; };
  "POST /session": { path: object; query: object; body: SessionCreate; answer: SessionDetail; };
  "DELETE /session": { path: object; query: { everywhere?: boolean; }; body: undefined; answer: undefined; };
  "GET /session/permissions": { path: object; query: { project: string; }; body: undefined; answer: HeldPermissions; };
  "GET /user/tokens": { path: object; query: object; body: undefined; answer: (TokenDetail)[]; };
  "POST /user/tokens": { path: object; query: object; body: TokenCreate; answer: TokenCreated; };
  "DELETE /user/tokens/{token}": { path: { token: string; }; query: object; body: undefined; answer: undefined; };
  "GET /users": { path: object; query: { email?: string; }; body: undefined; answer: (UserDetail)[]; };
  "GET /users/{user}": { path: { user: string; }; query: object; body: undefined; answer: UserDetail; };
  "PATCH /users/{user}": { path: { user: string; }; query: object; body: PersonUpdate; answer: UserDetail; };
  "DELETE /users/{user}": { path: { user: string; }; query: object; body: undefined; answer: undefined; };
  "GET /organizations": { path: object; query: object; body: undefined; answer: (OrganizationDetail)[]; };
  "POST /organizations": { path: object; query: object; body: OrganizationCreate; answer: OrganizationDetail; };
  "GET /organizations/{organization}": { path: { organization: string; }; query: object; body: undefined; answer: OrganizationDetail; };
  "PATCH /organizations/{organization}": { path: { organization: string; }; query: object; body: OrganizationUpdate; answer: OrganizationDetail; };
  "GET /organizations/{organization}/users": { path: { organization: string; }; query: object; body: undefined; answer: (OrganizationUserDetail)[]; };
  "POST /organizations/{organization}/users": { path: { organization: string; }; query: object; body: OrganizationUserCreate; answer: OrganizationUserDetail; };
  "GET /organizations/{organization}/users/{user}": { path: { organization: string; user: string; }; query: object; body: undefined; answer: OrganizationUserDetail; };
  "PATCH /organizations/{organization}/users/{user}": { path: { organization: string; user: string; }; query: object; body: OrganizationUserUpdate; answer: OrganizationUserDetail; };
  "DELETE /organizations/{organization}/users/{user}": { path: { organization: string; user: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects": { path: object; query: { organization?: string; labels?: string; }; body: undefined; answer: (ProjectDetail)[]; };
  "POST /projects": { path: object; query: object; body: ProjectCreate; answer: ProjectDetail; };
  "GET /projects/{project}": { path: { project: string; }; query: object; body: undefined; answer: ProjectDetail; };
  "PATCH /projects/{project}": { path: { project: string; }; query: object; body: ProjectUpdate; answer: ProjectDetail; };
  "DELETE /projects/{project}": { path: { project: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/resources": { path: { project: string; }; query: object; body: undefined; answer: ResourceUsage; };
  "GET /projects/{project}/quotas": { path: { project: string; }; query: object; body: undefined; answer: (QuotaDetail)[]; };
  "GET /projects/{project}/users": { path: { project: string; }; query: { user_type?: string; }; body: undefined; answer: (ProjectUserDetail)[]; };
  "POST /projects/{project}/users": { path: { project: string; }; query: object; body: ProjectUserCreate; answer: ProjectUserDetail; };
  "GET /projects/{project}/users/{user}": { path: { project: string; user: string; }; query: object; body: undefined; answer: ProjectUserDetail; };
  "DELETE /projects/{project}/users/{user}": { path: { project: string; user: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/service-users": { path: { project: string; }; query: object; body: undefined; answer: (ServiceUserDetail)[]; };
  "POST /projects/{project}/service-users": { path: { project: string; }; query: object; body: ServiceUserCreate; answer: ServiceUserCreated; };
  "GET /projects/{project}/service-users/{user}": { path: { project: string; user: string; }; query: object; body: undefined; answer: ServiceUserDetail; };
  "PATCH /projects/{project}/service-users/{user}": { path: { project: string; user: string; }; query: object; body: ServiceUserUpdate; answer: ServiceUserDetail; };
  "DELETE /projects/{project}/service-users/{user}": { path: { project: string; user: string; }; query: object; body: undefined; answer: undefined; };
  "PUT /projects/{project}/service-users/{user}/token": { path: { project: string; user: string; }; query: object; body: undefined; answer: ServiceUserToken; };
  "GET /permissions": { path: object; query: object; body: undefined; answer: (PermissionDetail)[]; };
  "GET /projects/{project}/roles": { path: { project: string; }; query: object; body: undefined; answer: (RoleBrief)[]; };
  "POST /projects/{project}/roles": { path: { project: string; }; query: object; body: RoleCreate; answer: RoleDetail; };
  "GET /projects/{project}/roles/{role}": { path: { project: string; role: string; }; query: object; body: undefined; answer: RoleDetail; };
  "PATCH /projects/{project}/roles/{role}": { path: { project: string; role: string; }; query: object; body: RoleUpdate; answer: RoleDetail; };
  "DELETE /projects/{project}/roles/{role}": { path: { project: string; role: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/role-assignments": { path: { project: string; }; query: { assignee?: string; assignee_type?: string; resource?: string; resource_type?: string; }; body: undefined; answer: (RoleAssignmentDetail)[]; };
  "POST /projects/{project}/role-assignments": { path: { project: string; }; query: object; body: RoleAssignmentCreate; answer: RoleAssignmentDetail; };
  "GET /projects/{project}/role-assignments/{assignment}": { path: { project: string; assignment: string; }; query: object; body: undefined; answer: RoleAssignmentDetail; };
  "DELETE /projects/{project}/role-assignments/{assignment}": { path: { project: string; assignment: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments": { path: { project: string; }; query: { labels?: string; supports_request_format?: boolean | null; }; body: undefined; answer: (DeploymentDetail)[]; };
  "POST /projects/{project}/deployments": { path: { project: string; }; query: object; body: DeploymentCreate; answer: DeploymentDetail; };
  "GET /projects/{project}/deployments/{deployment}": { path: { project: string; deployment: string; }; query: object; body: undefined; answer: DeploymentDetail; };
  "PATCH /projects/{project}/deployments/{deployment}": { path: { project: string; deployment: string; }; query: { force?: boolean; wait_s?: number; }; body: DeploymentUpdate; answer: DeploymentDetail; };
  "DELETE /projects/{project}/deployments/{deployment}": { path: { project: string; deployment: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/versions": { path: { project: string; deployment: string; }; query: { labels?: string; }; body: undefined; answer: (VersionDetail)[]; };
  "POST /projects/{project}/deployments/{deployment}/versions": { path: { project: string; deployment: string; }; query: object; body: VersionCreate; answer: VersionDetail; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}": { path: { project: string; deployment: string; version: string; }; query: object; body: undefined; answer: VersionDetail; };
  "PATCH /projects/{project}/deployments/{deployment}/versions/{version}": { path: { project: string; deployment: string; version: string; }; query: object; body: VersionUpdate; answer: VersionDetail; };
  "DELETE /projects/{project}/deployments/{deployment}/versions/{version}": { path: { project: string; deployment: string; version: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances": { path: { project: string; deployment: string; version: string; }; query: { cursor?: string; limit?: number; status?: string; }; body: undefined; answer: InstancePage; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/instances": { path: { project: string; deployment: string; version: string; }; query: object; body: InstanceCreate; answer: InstanceDetail; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}": { path: { project: string; deployment: string; version: string; instance: string; }; query: object; body: undefined; answer: InstanceDetail; };
  "PATCH /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}": { path: { project: string; deployment: string; version: string; instance: string; }; query: object; body: InstanceUpdate; answer: InstanceDetail; };
  "DELETE /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}": { path: { project: string; deployment: string; version: string; instance: string; }; query: object; body: undefined; answer: undefined; };
  "PUT /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}/lease": { path: { project: string; deployment: string; version: string; instance: string; }; query: object; body: LeaseRenewal; answer: InstanceDetail; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}/events": { path: { project: string; deployment: string; version: string; instance: string; }; query: { cursor?: string; limit?: number; }; body: undefined; answer: InstanceEventPage; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}/health": { path: { project: string; deployment: string; version: string; instance: string; }; query: object; body: undefined; answer: (HealthChange)[]; };
  "GET /projects/{project}/instances": { path: { project: string; }; query: { cursor?: string; limit?: number; status?: string; }; body: undefined; answer: InstancePage; };
  "GET /projects/{project}/instances/{instance}": { path: { project: string; instance: string; }; query: object; body: undefined; answer: InstanceDetail; };
  "PATCH /projects/{project}/instances/{instance}": { path: { project: string; instance: string; }; query: object; body: InstanceUpdate; answer: InstanceDetail; };
  "GET /projects/{project}/services": { path: { project: string; }; query: { labels?: string; search?: string; deployment_version_ids?: string; limit?: number | null; offset?: number; detail?: boolean; }; body: undefined; answer: (ServiceSummary | ServiceDetail)[]; };
  "POST /projects/{project}/services": { path: { project: string; }; query: object; body: ServiceCreate; answer: ServiceDetail; };
  "GET /projects/{project}/services/{service}": { path: { project: string; service: string; }; query: object; body: undefined; answer: ServiceDetail; };
  "PATCH /projects/{project}/services/{service}": { path: { project: string; service: string; }; query: { force?: boolean; wait_s?: number; }; body: ServiceUpdate; answer: ServiceDetail; };
  "DELETE /projects/{project}/services/{service}": { path: { project: string; service: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/services/{service}/status": { path: { project: string; service: string; }; query: object; body: undefined; answer: ServiceStatus; };
  "GET /projects/{project}/services/{service}/propagation": { path: { project: string; service: string; }; query: object; body: undefined; answer: Propagation; };
  "GET /projects/{project}/services/{service}/rollouts": { path: { project: string; service: string; }; query: object; body: undefined; answer: (RolloutDetail)[]; };
  "POST /projects/{project}/services/{service}/rollouts": { path: { project: string; service: string; }; query: { force?: boolean; wait_s?: number; }; body: RolloutCreate; answer: RolloutDetail; };
  "GET /projects/{project}/services/{service}/rollouts/{rollout}": { path: { project: string; service: string; rollout: string; }; query: object; body: undefined; answer: RolloutDetail; };
  "PATCH /projects/{project}/services/{service}/rollouts/{rollout}": { path: { project: string; service: string; rollout: string; }; query: { force?: boolean; }; body: RolloutUpdate; answer: RolloutDetail; };
  "GET /projects/{project}/services/{service}/domains": { path: { project: string; service: string; }; query: object; body: undefined; answer: (DomainDetail)[]; };
  "POST /projects/{project}/services/{service}/domains": { path: { project: string; service: string; }; query: object; body: DomainCreate; answer: DomainDetail; };
  "POST /projects/{project}/services/{service}/domains/{domain}/verify": { path: { project: string; service: string; domain: string; }; query: object; body: undefined; answer: DomainDetail; };
  "DELETE /projects/{project}/services/{service}/domains/{domain}": { path: { project: string; service: string; domain: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/services/{service}/basic-users": { path: { project: string; service: string; }; query: object; body: undefined; answer: (BasicUser)[]; };
  "PUT /projects/{project}/services/{service}/basic-users": { path: { project: string; service: string; }; query: object; body: BasicUsersUpdate; answer: (BasicUser)[]; };
  "POST /projects/{project}/services/{service}/share": { path: { project: string; service: string; }; query: object; body: ShareCreate; answer: ShareDetail; };
  "POST /projects/{project}/services/{service}/share/withdraw": { path: { project: string; service: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/services/{service}/requests": { path: { project: string; service: string; }; query: { limit?: number; cursor?: string; offset?: number; status?: string; code?: string; since?: string | null; until?: string | null; user?: string; method?: string; path?: string; instance?: string; slower_than_ms?: number | null; body?: string; }; body: undefined; answer: RequestPage; };
  "GET /projects/{project}/services/{service}/requests/stream": { path: { project: string; service: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/services/{service}/requests/{id}": { path: { project: string; service: string; id: string; }; query: object; body: undefined; answer: ServiceRequest; };
  "GET /projects/{project}/services/{service}/requests/{id}/explain": { path: { project: string; service: string; id: string; }; query: object; body: undefined; answer: Explanation; };
  "GET /projects/{project}/requests/{id}/explain": { path: { project: string; id: string; }; query: object; body: undefined; answer: Explanation; };
  "GET /projects/{project}/services/{service}/chart": { path: { project: string; service: string; }; query: { since?: string | null; until?: string | null; points?: number; }; body: undefined; answer: ServiceChart; };
  "GET /projects/{project}/services/{service}/certificates": { path: { project: string; service: string; }; query: object; body: undefined; answer: (ServiceCertificate)[]; };
  "GET /projects/{project}/services/{service}/limits": { path: { project: string; service: string; }; query: { user_id?: string; }; body: undefined; answer: (LimitUse)[]; };
  "GET /projects/{project}/services/{service}/user-rate-limits": { path: { project: string; service: string; }; query: object; body: undefined; answer: (UserLimitDetail)[]; };
  "POST /projects/{project}/services/{service}/user-rate-limits": { path: { project: string; service: string; }; query: object; body: UserLimitCreate; answer: UserLimitDetail; };
  "GET /projects/{project}/services/{service}/user-rate-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: undefined; answer: UserLimitDetail; };
  "PATCH /projects/{project}/services/{service}/user-rate-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: UserLimitUpdate; answer: UserLimitDetail; };
  "DELETE /projects/{project}/services/{service}/user-rate-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/services/{service}/user-concurrency-limits": { path: { project: string; service: string; }; query: object; body: undefined; answer: (UserLimitDetail)[]; };
  "POST /projects/{project}/services/{service}/user-concurrency-limits": { path: { project: string; service: string; }; query: object; body: UserLimitCreate; answer: UserLimitDetail; };
  "GET /projects/{project}/services/{service}/user-concurrency-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: undefined; answer: UserLimitDetail; };
  "PATCH /projects/{project}/services/{service}/user-concurrency-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: UserLimitUpdate; answer: UserLimitDetail; };
  "DELETE /projects/{project}/services/{service}/user-concurrency-limits/{user}": { path: { project: string; service: string; user: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/revisions": { path: { project: string; deployment: string; version: string; }; query: object; body: undefined; answer: (RevisionDetail)[]; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/revisions": { path: { project: string; deployment: string; version: string; }; query: object; body: undefined; answer: RevisionUploaded; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/revisions/{revision}": { path: { project: string; deployment: string; version: string; revision: string; }; query: object; body: undefined; answer: RevisionDetail; };
  "GET /projects/{project}/environments": { path: { project: string; }; query: { labels?: string; system?: boolean | null; }; body: undefined; answer: (EnvironmentDetail)[]; };
  "GET /projects/{project}/environments/{environment}": { path: { project: string; environment: string; }; query: object; body: undefined; answer: EnvironmentDetail; };
  "GET /projects/{project}/environments/{environment}/tags": { path: { project: string; environment: string; }; query: { supports_request_format?: boolean | null; }; body: undefined; answer: (EnvironmentTag)[]; };
  "GET /projects/{project}/environments/{environment}/tags/{tag}": { path: { project: string; environment: string; tag: string; }; query: object; body: undefined; answer: EnvironmentTag; };
  "GET /projects/{project}/instance-types": { path: { project: string; }; query: { cursor?: string; limit?: number; }; body: undefined; answer: InstanceTypePage; };
  "GET /projects/{project}/instance-type-groups": { path: { project: string; }; query: { cursor?: string; limit?: number; }; body: undefined; answer: InstanceTypeGroupPage; };
  "GET /projects/{project}/instance-type-groups/{group}": { path: { project: string; group: string; }; query: object; body: undefined; answer: InstanceTypeGroup; };
  "GET /projects/{project}/instance-type-groups/{group}/usage": { path: { project: string; group: string; }; query: { cursor?: string; limit?: number; }; body: undefined; answer: InstanceTypeGroupUsePage; };
  "GET /projects/{project}/requests": { path: { project: string; }; query: { object_type: "deployment" | "pipeline"; status?: string; limit?: number; offset?: number; start_date?: string | null; end_date?: string | null; search_id?: string; }; body: undefined; answer: (RequestOverview)[]; };
  "GET /projects/{project}/deployments/{deployment}/requests": { path: { project: string; deployment: string; }; query: { status?: string; limit?: number; offset?: number; start_date?: string | null; end_date?: string | null; search_id?: string; }; body: undefined; answer: (RequestSummary)[]; };
  "GET /projects/{project}/deployments/{deployment}/requests/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: RequestDetail; };
  "PATCH /projects/{project}/deployments/{deployment}/requests/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: RequestStatusUpdate; answer: RequestDetail; };
  "DELETE /projects/{project}/deployments/{deployment}/requests/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/requests": { path: { project: string; deployment: string; version: string; }; query: { status?: string; limit?: number; offset?: number; start_date?: string | null; end_date?: string | null; search_id?: string; }; body: undefined; answer: (RequestSummary)[]; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/requests/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: RequestDetail; };
  "PATCH /projects/{project}/deployments/{deployment}/versions/{version}/requests/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: RequestStatusUpdate; answer: RequestDetail; };
  "DELETE /projects/{project}/deployments/{deployment}/versions/{version}/requests/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/requests/collect": { path: { project: string; deployment: string; version: string; }; query: object; body: RequestIds; answer: (RequestDetail)[]; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/requests/delete": { path: { project: string; deployment: string; version: string; }; query: object; body: RequestIds; answer: RequestsDeleted; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/requests/cancel": { path: { project: string; deployment: string; version: string; }; query: object; body: RequestIds; answer: RequestsCancelled; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/requests/{id}/input": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/requests/{id}/output": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "POST /projects/{project}/deployments/{deployment}/requests/collect": { path: { project: string; deployment: string; }; query: object; body: RequestIds; answer: (RequestDetail)[]; };
  "POST /projects/{project}/deployments/{deployment}/requests/delete": { path: { project: string; deployment: string; }; query: object; body: RequestIds; answer: RequestsDeleted; };
  "POST /projects/{project}/deployments/{deployment}/requests/cancel": { path: { project: string; deployment: string; }; query: object; body: RequestIds; answer: RequestsCancelled; };
  "GET /projects/{project}/deployments/{deployment}/requests/{id}/input": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/requests/{id}/output": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/metrics": { path: { project: string; }; query: { custom?: boolean | null; }; body: undefined; answer: (MetricDetail)[]; };
  "POST /projects/{project}/metrics": { path: { project: string; }; query: object; body: MetricCreate; answer: MetricDetail; };
  "GET /projects/{project}/metrics/{metric}": { path: { project: string; metric: string; }; query: object; body: undefined; answer: MetricDetail; };
  "PATCH /projects/{project}/metrics/{metric}": { path: { project: string; metric: string; }; query: object; body: MetricUpdate; answer: MetricDetail; };
  "DELETE /projects/{project}/metrics/{metric}": { path: { project: string; metric: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/time-series/data": { path: { project: string; }; query: { metric: string; start_date: string; end_date: string; aggregation_period?: number | null; unit_period?: number | null; labels?: string; }; body: undefined; answer: TimeSeries; };
  "POST /projects/{project}/time-series/data": { path: { project: string; }; query: object; body: SeriesDataList; answer: PointsKept; };
  "POST /projects/{project}/time-series/aggregate": { path: { project: string; }; query: object; body: SeriesDataList; answer: PointsKept; };
  "GET /projects/{project}/time-series/search": { path: { project: string; }; query: { metric?: string; labels?: string; custom?: boolean | null; exact_match?: boolean; limit?: number; offset?: number; }; body: undefined; answer: (Series)[]; };
  "DELETE /projects/{project}/time-series/{id}": { path: { project: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/environment-variables": { path: { project: string; }; query: object; body: undefined; answer: (EnvironmentVariable)[]; };
  "POST /projects/{project}/environment-variables": { path: { project: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "GET /projects/{project}/environment-variables/{id}": { path: { project: string; id: string; }; query: object; body: undefined; answer: EnvironmentVariable; };
  "PATCH /projects/{project}/environment-variables/{id}": { path: { project: string; id: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "DELETE /projects/{project}/environment-variables/{id}": { path: { project: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/deployments/{deployment}/environment-variables": { path: { project: string; deployment: string; }; query: object; body: undefined; answer: (EnvironmentVariable)[]; };
  "POST /projects/{project}/deployments/{deployment}/environment-variables": { path: { project: string; deployment: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "GET /projects/{project}/deployments/{deployment}/environment-variables/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: EnvironmentVariable; };
  "PATCH /projects/{project}/deployments/{deployment}/environment-variables/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "DELETE /projects/{project}/deployments/{deployment}/environment-variables/{id}": { path: { project: string; deployment: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "POST /projects/{project}/deployments/{deployment}/copy-environment-variables": { path: { project: string; deployment: string; }; query: object; body: EnvironmentVariableCopy; answer: (EnvironmentVariable)[]; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/environment-variables": { path: { project: string; deployment: string; version: string; }; query: object; body: undefined; answer: (EnvironmentVariable)[]; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/environment-variables": { path: { project: string; deployment: string; version: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "GET /projects/{project}/deployments/{deployment}/versions/{version}/environment-variables/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: EnvironmentVariable; };
  "PATCH /projects/{project}/deployments/{deployment}/versions/{version}/environment-variables/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: EnvironmentVariableCreate; answer: EnvironmentVariable; };
  "DELETE /projects/{project}/deployments/{deployment}/versions/{version}/environment-variables/{id}": { path: { project: string; deployment: string; version: string; id: string; }; query: object; body: undefined; answer: undefined; };
  "POST /projects/{project}/deployments/{deployment}/versions/{version}/copy-environment-variables": { path: { project: string; deployment: string; version: string; }; query: object; body: EnvironmentVariableCopy; answer: (EnvironmentVariable)[]; };
  "GET /projects/{project}/webhooks": { path: { project: string; }; query: { labels?: string; object_type?: string; event?: string; }; body: undefined; answer: (WebhookDetail)[]; };
  "POST /projects/{project}/webhooks": { path: { project: string; }; query: object; body: WebhookCreate; answer: WebhookDetail; };
  "GET /projects/{project}/webhooks/{webhook}": { path: { project: string; webhook: string; }; query: object; body: undefined; answer: WebhookDetail; };
  "PATCH /projects/{project}/webhooks/{webhook}": { path: { project: string; webhook: string; }; query: object; body: WebhookUpdate; answer: WebhookDetail; };
  "DELETE /projects/{project}/webhooks/{webhook}": { path: { project: string; webhook: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/webhooks/{webhook}/calls": { path: { project: string; webhook: string; }; query: { status?: "" | "pending" | "success" | "failed"; limit?: number; offset?: number; }; body: undefined; answer: (WebhookCall)[]; };
  "POST /projects/{project}/webhooks-tests": { path: { project: string; }; query: object; body: WebhookTestCreate; answer: WebhookTest; };
  "GET /projects/{project}/webhooks-tests/{id}": { path: { project: string; id: string; }; query: object; body: undefined; answer: WebhookTest; };
  "GET /projects/{project}/logs": { path: { project: string; }; query: { query?: string; start?: string; end?: string; limit?: number; }; body: undefined; answer: (LogLine)[]; };
  "GET /projects/{project}/audit": { path: { project: string; }; query: { action?: "" | "create" | "update" | "delete" | "info"; limit?: number; offset?: number; }; body: undefined; answer: (AuditRecord)[]; };
  "GET /projects/{project}/deployments/{deployment}/audit": { path: { project: string; deployment: string; }; query: { action?: "" | "create" | "update" | "delete" | "info"; limit?: number; offset?: number; }; body: undefined; answer: (AuditRecord)[]; };
  "GET /projects/{project}/events": { path: { project: string; }; query: { object_type?: "" | "deployment" | "deployment_version" | "pipeline_version" | "service" | "environment_tag" | "node_pool"; object_id?: string; start_time?: string | null; end_time?: string | null; last_seconds?: number | null; type?: string; limit?: number; offset?: number; }; body: undefined; answer: (ProjectEventRecord)[]; };
  "GET /projects/{project}/events/stream": { path: { project: string; }; query: object; body: undefined; answer: undefined; };
  "GET /projects/{project}/live": { path: { project: string; }; query: { limit?: number | null; offset?: number; }; body: undefined; answer: LiveServices; };
  "GET /projects/{project}/live/stream": { path: { project: string; }; query: object; body: undefined; answer: undefined; };
}
